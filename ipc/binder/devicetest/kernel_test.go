package devicetest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/kernel"
	"ipcbench/ipc/binder/device/local"
	"ipcbench/ipc/binder/devicetest"
)

func TestKernel(t *testing.T) {
	b := kernelBackend()
	if _, err := kernel.Find(); errors.Is(err, errors.ErrUnsupported) {
		keep(t, devicetest.NotRun(b, err))
		t.Skip(err)
	}
	run(t, b)
}

func kernelBackend() devicetest.Backend {
	b := devicetest.Backend{
		Device:     kernel.Name,
		Release:    devicetest.RunningRelease(),
		Kernel:     devicetest.RunningKernel(),
		NewContext: kernelContext,
		Open: func(node string, _ devicetest.Identity) (device.Device, error) {
			return kernel.New(node)
		},
		SecurityContext: local.SecurityContext(),
	}
	if logs, ok := kernel.Logs(); ok {
		b.Stats = func(string) (string, error) {
			text, err := os.ReadFile(filepath.Join(logs, "stats"))
			return string(text), err
		}
	}
	return b
}

// kernelContext adds a node to binderfs. Without binderfs all rows share the
// one node there is.
func kernelContext(tb testing.TB) string {
	dir, ok := kernel.Mounted()
	if !ok {
		path, err := kernel.Find()
		if err != nil {
			tb.Skip(err)
		}
		return path
	}
	path, err := kernel.AddDevice(dir, fmt.Sprintf("devicetest-%d-%d", os.Getpid(), contexts.Add(1)))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.Remove(path) })
	if err := os.Chmod(path, 0o666); err != nil {
		tb.Fatal(err)
	}
	return path
}

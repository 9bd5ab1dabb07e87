package devicetest_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/kernel"
	"ipcbench/ipc/binder/devicetest"
)

var resultsDir = flag.String("results", "", "directory for the results, one JSON file a device")

func TestMain(m *testing.M) {
	devicetest.Main(kernelBackend())
	os.Exit(m.Run())
}

func run(t *testing.T, b devicetest.Backend) {
	results := devicetest.Run(t, b)
	t.Logf("%s: %d pass, %d fail, %d deviate, %d skipped", b.Device, results.Count(devicetest.Pass),
		results.Count(devicetest.Fail), results.Count(devicetest.Deviation), results.Count(devicetest.Skip))
	if *resultsDir == "" {
		return
	}
	if err := results.Write(*resultsDir); err != nil {
		t.Error(err)
	}
}

func TestKernel(t *testing.T) {
	if _, err := kernel.Find(); errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	run(t, kernelBackend())
}

// contexts numbers the nodes that this process adds to binderfs.
var contexts atomic.Int64

func kernelBackend() devicetest.Backend {
	_, labelled := os.Stat("/sys/fs/selinux")
	b := devicetest.Backend{
		Device:     kernel.Name,
		Release:    devicetest.RunningRelease(),
		NewContext: kernelContext,
		Open: func(node string, _ devicetest.Identity) (device.Device, error) {
			return kernel.New(node)
		},
		SecurityContexts: labelled == nil,
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

package devicetest_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/inproc"
	"ipcbench/ipc/binder/device/kernel"
	"ipcbench/ipc/binder/device/shared"
	"ipcbench/ipc/binder/devicetest"
)

var resultsDir = flag.String("results", "", "directory for the results, one JSON file a device")

func TestMain(m *testing.M) {
	devicetest.Main(kernelBackend(), inprocBackend(), sharedBackend())
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

func TestInproc(t *testing.T) { run(t, inprocBackend()) }

// inprocDevices are the contexts of the inproc device, by name.
var inprocDevices sync.Map

type openAs struct {
	*inproc.Device
	who inproc.Identity
}

func (d openAs) Open(flags int) (device.File, error) { return d.OpenAs(d.who, flags) }

func inprocBackend() devicetest.Backend {
	return devicetest.Backend{
		Device:    "inproc",
		Release:   devicetest.Release{Major: 6, Minor: 3},
		InProcess: true,
		NewContext: func(tb testing.TB) string {
			d, err := inproc.New(inproc.Options{})
			if err != nil {
				tb.Fatal(err)
			}
			node := fmt.Sprintf("inproc-%d", contexts.Add(1))
			inprocDevices.Store(node, d)
			tb.Cleanup(func() { inprocDevices.Delete(node) })
			return node
		},
		Open: func(node string, who devicetest.Identity) (device.Device, error) {
			d, ok := inprocDevices.Load(node)
			if !ok {
				return nil, os.ErrNotExist
			}
			return openAs{d.(*inproc.Device), inproc.Identity{PID: who.PID, EUID: who.EUID}}, nil
		},
		Deviations: deviations,
	}
}

// deviations are the rows that cannot apply to a driver that is not in the
// kernel.
var deviations = map[int]string{
	5:  "the device is no descriptor that a forked child inherits",
	80: "raising a thread's priority again after a call takes a privilege that user space does not have",
}

func TestShared(t *testing.T) { run(t, sharedBackend()) }

func sharedBackend() devicetest.Backend {
	return devicetest.Backend{
		Device:  "shared",
		Release: devicetest.Release{Major: 6, Minor: 3},
		NewContext: func(tb testing.TB) string {
			dir, err := os.MkdirTemp("/dev/shm", "binder-devicetest-")
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { os.RemoveAll(dir) })
			if err := os.Chmod(dir, 0o777); err != nil {
				tb.Fatal(err)
			}
			return dir
		},
		Open: func(node string, _ devicetest.Identity) (device.Device, error) {
			return shared.New(shared.Options{Dir: node, Mode: 0o777})
		},
		Deviations: deviations,
	}
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

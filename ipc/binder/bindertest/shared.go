package bindertest

import (
	"os"
	"testing"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/shared"
)

const sharedName = "shared"

func init() {
	places[sharedName] = sharedPlace
	open[sharedName] = func(dir string) (device.Device, error) { return shared.New(shared.Options{Dir: dir}) }
}

// sharedPlace is a directory of its own for each test.
func sharedPlace(t testing.TB) Place {
	dir, err := os.MkdirTemp("/dev/shm", "bindertest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return processes{sharedName, dir}
}

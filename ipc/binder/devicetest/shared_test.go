package devicetest_test

import (
	"os"
	"testing"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/shared"
	"ipcbench/ipc/binder/devicetest"
)

func TestShared(t *testing.T) { run(t, sharedBackend()) }

// sharedMode lets a party of another uid join.
const sharedMode = 0o777

func sharedBackend() devicetest.Backend {
	return devicetest.Backend{
		Device:  "shared",
		Release: goRelease,
		NewContext: func(tb testing.TB) string {
			dir, err := os.MkdirTemp("/dev/shm", "binder-devicetest-")
			if err != nil {
				tb.Fatal(err)
			}
			tb.Cleanup(func() { os.RemoveAll(dir) })
			if err := os.Chmod(dir, sharedMode); err != nil {
				tb.Fatal(err)
			}
			return dir
		},
		Open: func(node string, _ devicetest.Identity) (device.Device, error) {
			return shared.New(shared.Options{Dir: node, Mode: sharedMode})
		},
		Deviations: goDeviations,
	}
}

package devicetest_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"ipcbench/internal/leakcheck"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/local"
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
			dir := leakcheck.MemoryDir(tb)
			if err := os.Chmod(dir, sharedMode); err != nil {
				tb.Fatal(err)
			}
			return dir
		},
		Open: func(node string, _ devicetest.Identity) (device.Device, error) {
			return shared.New(shared.Options{Dir: node, Mode: sharedMode})
		},
		SecurityContext: local.SecurityContext(),
		Stats:           sharedStats,
		Deviations:      goDeviations,
	}
}

// sharedStats joins the directory for a look.
func sharedStats(dir string) (string, error) {
	d, err := shared.New(shared.Options{Dir: dir, Mode: sharedMode})
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = d.Driver().WriteStats(&text)
	return text.String(), errors.Join(err, d.Close())
}

package bindertest

import (
	"testing"

	"ipcbench/internal/leakcheck"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/shared"
)

const sharedName = "shared"

func init() {
	places[sharedName] = sharedPlace
	open[sharedName] = func(dir string) (device.Device, error) { return shared.New(shared.Options{Dir: dir}) }
}

// sharedPlace is a directory of its own for each test.
func sharedPlace(t testing.TB) Place { return processes{sharedName, leakcheck.MemoryDir(t)} }

package bindertest

import (
	"errors"
	"testing"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/kernel"
)

func init() {
	places[kernel.Name] = kernelPlace
	open[kernel.Name] = func(node string) (device.Device, error) { return kernel.New(node) }
}

// kernelPlace is the kernel's driver, where there is one. All tests share its
// one context.
func kernelPlace(t testing.TB) Place {
	path, err := kernel.Find()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return processes{kernel.Name, path}
}

package bindertest

import (
	"io"
	"testing"

	"ipcbench/ipc/binder/device"
)

// Place is a context of a device in which a test can start processes.
type Place interface {
	// Device is the test's own way to the context.
	Device(testing.TB) device.Device
	// Start starts a role as another process and waits until it is ready. The
	// test's end stops it; a role that fails fails the test.
	Start(t testing.TB, role string) *Process
}

// places make a new Place for a test, or skip it; open opens a device for a
// process of its own. Both are by the device's name.
var (
	places = map[string]func(testing.TB) Place{}
	open   = map[string]func(node string) (device.Device, error){}
)

// Run runs a test in a Place of each device.
func Run(t *testing.T, test func(*testing.T, Place)) {
	for name, place := range places {
		t.Run(name, func(t *testing.T) { test(t, place(t)) })
	}
}

// processes is a Place whose processes are real.
type processes struct{ name, node string }

func (p processes) Device(t testing.TB) device.Device {
	dev, err := open[p.name](p.node)
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := dev.(io.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return dev
}

func (p processes) Start(t testing.TB, role string) *Process {
	t.Helper()
	return startProcess(t, p.name, p.node, role)
}

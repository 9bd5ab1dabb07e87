package local

import (
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/driver"
)

var stepNames = [...]string{driver.EventAllocate: "allocate", driver.EventCopy: "copy", driver.EventQueue: "queue",
	driver.EventWake: "wake", driver.EventRead: "read", driver.EventFree: "free"}

// Trace is described by device.Tracer.
func Trace(d *driver.Driver, tell func(device.Step)) {
	d.Trace(func(e driver.Event) {
		tell(device.Step{Name: stepNames[e.Kind], Thread: e.Thread, Owner: e.Owner, Buffer: e.Buffer, Size: e.Size})
	})
}

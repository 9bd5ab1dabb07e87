package inproc

import "ipcbench/ipc/binder/device"

// As is the device as a process with another identity has it.
func (d *Device) As(id Identity) device.Device { return &as{d, id} }

type as struct {
	*Device
	identity Identity
}

// Open opens the device with the identity.
func (a *as) Open(flags int) (device.File, error) { return a.OpenAs(a.identity, flags) }

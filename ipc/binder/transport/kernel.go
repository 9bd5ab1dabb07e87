package transport

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"ipcbench/ipc"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/kernel"
)

// kernelPlatform is the driver of the running kernel. A channel gets a context of
// its own where binderfs lets this process make one; otherwise the device's,
// if nobody else has it.
type kernelPlatform struct{}

// leave has nothing to do: a context of binderfs that its creator did not remove
// takes nobody's place.
func (kernelPlatform) leave(string) {}

func (kernelPlatform) check() error {
	_, err := kernel.Find()
	return err
}

var contexts atomic.Int64

func (kernelPlatform) create() (created, error) {
	path, err := kernel.Find()
	if err != nil {
		return created{}, err
	}
	if dir, ok := kernel.Mounted(); ok {
		name := fmt.Sprintf("ipcbench-%d-%d", os.Getpid(), contexts.Add(1))
		own, err := kernel.AddDevice(dir, name)
		if err == nil {
			return created{place: own, remove: func() error { return os.Remove(own) }}, nil
		}
		if !errors.Is(err, os.ErrPermission) {
			return created{}, err
		}
	}
	return created{place: path, remove: func() error { return nil }}, nil
}

func (kernelPlatform) open(place string, _ ipc.Wait, raw bool) (device.Device, error) {
	if raw {
		return kernel.New(place, kernel.RawIoctl())
	}
	return kernel.New(place)
}

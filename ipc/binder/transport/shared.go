package transport

import (
	"os"

	"ipcbench/ipc"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/shared"
)

// sharedPlatform is the driver in Go, running in its callers over files in a
// directory of the channel's own.
type sharedPlatform struct{}

// memoryFiles is where the directories are made.
const memoryFiles = "/dev/shm"

func (sharedPlatform) check() error {
	_, err := os.Stat(memoryFiles)
	return err
}

func (sharedPlatform) create() (string, func() error, error) {
	dir, err := os.MkdirTemp(memoryFiles, "ipcbench-binder-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

func (sharedPlatform) open(dir string, wait ipc.Wait, raw bool) (device.Device, error) {
	waits := map[ipc.Wait]shared.Wait{
		ipc.Block: shared.WaitBlock, ipc.Adaptive: shared.WaitAdaptive, ipc.Spin: shared.WaitSpin,
	}
	return shared.New(shared.Options{Dir: dir, Wait: waits[wait], RawWait: raw})
}

package bindertest

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/inproc"
)

func init() { places["inproc"] = inprocPlace }

// virtual is a Place whose processes are in this one.
type virtual struct {
	device *inproc.Device
	mu     sync.Mutex
	last   int32
}

func inprocPlace(t testing.TB) Place {
	d, err := inproc.New(inproc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return &virtual{device: d}
}

func (v *virtual) Device(testing.TB) device.Device {
	return &identity{Device: v.device, pid: int32(os.Getpid())}
}

func (v *virtual) Start(t testing.TB, role string) *Process {
	t.Helper()
	v.mu.Lock()
	v.last++
	dev := &identity{Device: v.device, pid: int32(os.Getpid()) + v.last}
	v.mu.Unlock()
	return startVirtual(t, dev, roles[role])
}

// identity is the device as one of the processes has it.
type identity struct {
	*inproc.Device
	pid  int32
	dead atomic.Bool
	undo []func() error
}

func (i *identity) Open(flags int) (device.File, error) {
	f, err := i.OpenAs(inproc.Identity{PID: i.pid, EUID: uint32(os.Geteuid())}, flags)
	if err != nil {
		return nil, err
	}
	i.undo = append(i.undo, f.Close)
	return &file{f, i}, nil
}

// file is an open device, which is closed when its process is dead.
type file struct {
	device.File
	owner *identity
}

func (f *file) Ioctl(thread int32, cmd uint32, arg uintptr) error {
	if f.owner.dead.Load() {
		return unix.EBADF
	}
	return f.File.Ioctl(thread, cmd, arg)
}

func (f *file) Dup() (device.File, error) {
	if f.owner.dead.Load() {
		return nil, unix.EBADF
	}
	return f.File.Dup()
}

func (f *file) Mmap(length, prot, flags int) (device.Mapping, error) {
	m, err := f.File.Mmap(length, prot, flags)
	if err == nil {
		f.owner.undo = append(f.owner.undo, func() error { return m.Unmap(0, m.Len()) })
	}
	return m, err
}

// kill does to the driver what the death of a process does.
func (i *identity) kill() error {
	i.dead.Store(true)
	var errs []error
	for _, undo := range i.undo {
		errs = append(errs, undo())
	}
	return errors.Join(errs...)
}

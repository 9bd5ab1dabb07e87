// Package kernel is the device of the kernel's own Binder driver: the node
// /dev/binder, one in a binderfs, or any other path. It adds nothing to the
// system calls; what a caller sees is what the driver of the running kernel
// does. Find looks for a node and, where there is none, says how to get one.
//
// The driver takes the calling OS thread for the binder thread and ignores
// the key that device.File passes along: callers lock their goroutine.
package kernel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/device"
)

// Name is what the device is called in results and flags.
const Name = "kernel"

// Device is a node of the kernel's driver.
type Device struct {
	path  string
	ioctl func(fd int, request uint32, arg uintptr) error
}

// Option changes how a device issues its system calls.
type Option func(*Device)

// RawIoctl enters the kernel without telling the Go scheduler, as the
// measured loops of all transports do. It is not for a program that uses the
// collector: a thread blocked in the driver holds a collection up.
func RawIoctl() Option { return func(d *Device) { d.ioctl = sys.RawIoctl } }

// New is the device at path, which Open then opens. An empty path is the one
// that Find finds.
func New(path string, options ...Option) (*Device, error) {
	if path == "" {
		found, err := Find()
		if err != nil {
			return nil, err
		}
		path = found
	}
	d := &Device{path: path, ioctl: sys.Ioctl}
	for _, option := range options {
		option(d)
	}
	return d, nil
}

// Name is "kernel".
func (d *Device) Name() string { return Name }

// Path is the device's node.
func (d *Device) Path() string { return d.path }

// View is described by device.Viewer. The driver shows all contexts.
func (d *Device) View(name string) (string, error) {
	dir, ok := Logs()
	if !ok {
		return "", fmt.Errorf("%w: the kernel shows neither debugfs nor a binderfs with statistics", errors.ErrUnsupported)
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	return string(text), err
}

// Open is open(2) of the node.
func (d *Device) Open(flags int) (device.File, error) {
	fd, err := unix.Open(d.path, unix.O_RDWR|unix.O_CLOEXEC|flags&unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", d.path, err)
	}
	return newFile(d, fd), nil
}

// File is an open node. A call on a closed one is EBADF.
type File struct {
	device *Device
	fd     atomic.Int32
}

func newFile(d *Device, fd int) *File {
	f := &File{device: d}
	f.fd.Store(int32(fd))
	return f
}

// FD is the file's descriptor number, -1 once it is closed.
func (f *File) FD() int { return int(f.fd.Load()) }

// Ioctl is ioctl(2); the thread is the calling one, whatever the key.
func (f *File) Ioctl(_ int32, cmd uint32, arg uintptr) error {
	return f.device.ioctl(f.FD(), cmd, arg)
}

// Mmap is mmap(2) of the file.
func (f *File) Mmap(length, prot, flags int) (device.Mapping, error) {
	addr, err := sys.MapFile(f.FD(), length, prot, flags)
	if err != nil {
		return nil, err
	}
	return &Mapping{addr: addr, length: length}, nil
}

// Poll is ppoll(2) for POLLIN; the thread is the calling one.
func (f *File) Poll(_ int32, timeout time.Duration) (int16, error) {
	var limit *unix.Timespec
	if timeout >= 0 {
		ts := unix.NsecToTimespec(int64(timeout))
		limit = &ts
	}
	fds := []unix.PollFd{{Fd: f.fd.Load(), Events: unix.POLLIN}}
	_, err := unix.Ppoll(fds, limit, nil)
	return fds[0].Revents, err
}

// Dup is dup(2), close-on-exec.
func (f *File) Dup() (device.File, error) {
	fd, err := unix.FcntlInt(uintptr(f.FD()), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return newFile(f.device, fd), nil
}

// Close is close(2). The driver then flushes, and with the last reference
// releases, from a work queue: both may come to pass only later.
func (f *File) Close() error {
	fd := f.fd.Swap(-1)
	if fd < 0 {
		return unix.EBADF
	}
	return unix.Close(int(fd))
}

// Mapping is the receive region as the kernel mapped it.
type Mapping struct {
	addr   uintptr
	length int
}

// Addr is where the region starts.
func (m *Mapping) Addr() uintptr { return m.addr }

// Len is the length in bytes that was asked for. Of more than 4 MiB the
// driver uses the first 4 MiB.
func (m *Mapping) Len() int { return m.length }

// Bytes is the region. Reading a page that never held a buffer raises SIGBUS.
func (m *Mapping) Bytes() []byte { return sys.BytesAt(m.addr, m.length) }

// Protect is mprotect(2) of the whole region.
func (m *Mapping) Protect(prot int) error { return sys.ProtectAt(m.addr, m.length, prot) }

// Unmap is munmap(2).
func (m *Mapping) Unmap(offset, length int) error {
	return sys.UnmapAt(m.addr+uintptr(offset), length)
}

// Package local is what the inproc and the shared device have in common: a
// device.File on a binder_proc of the Go driver that runs in this process, and
// the region that belongs to it.
package local

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/driver"
)

// Memory is the caller's address space: this process's own.
type Memory struct{}

// CopyFromUser copies from an address of this process; a bad one is EFAULT.
func (Memory) CopyFromUser(dst []byte, addr uint64) error { return sys.CopyIn(dst, uintptr(addr)) }

// CopyToUser copies to an address of this process; a bad one is EFAULT.
func (Memory) CopyToUser(addr uint64, src []byte) error { return sys.CopyOut(uintptr(addr), src) }

// At is described by driver.Near.
func (Memory) At(addr uint64, n int) []byte { return sys.Faultable(uintptr(addr), n) }

// Regions makes the memory files of regions.
type Regions interface {
	// Create makes the file of a process's region, empty: it grows with the
	// pages that get storage, and reading behind them is SIGBUS, as reading a
	// page without buffer is with the kernel's driver.
	Create(id driver.ProcID) (*os.File, error)
}

// File is a device.File on a binder_proc of this process.
type File struct {
	proc    *driver.Proc
	regions Regions

	mu     sync.Mutex // of Dup, Mmap and Close, that use closed and the count of references together
	closed atomic.Bool
}

// NewFile is the first reference to a binder_proc.
func NewFile(p *driver.Proc, r Regions, flags int) *File {
	p.SetNonblock(flags&unix.O_NONBLOCK != 0)
	return &File{proc: p, regions: r}
}

// Proc is the binder_proc behind the file.
func (f *File) Proc() *driver.Proc { return f.proc }

// SetWait chooses how the file's threads wait.
func (f *File) SetWait(w driver.Wait) { f.proc.SetWait(w) }

// Account is described by device.Accountant.
func (f *File) Account(thread int32) device.Account {
	c, calls := f.proc.Account(thread)
	return device.Account{PayloadFromUser: c.PayloadFromUser, HeaderFromUser: c.HeaderFromUser,
		HeaderToUser: c.HeaderToUser, Syscalls: calls}
}

// Ioctl is described by device.File.
func (f *File) Ioctl(thread int32, cmd uint32, arg uintptr) error {
	if f.closed.Load() {
		return unix.EBADF
	}
	return f.proc.Ioctl(thread, abi.Ioctl(cmd), uint64(arg))
}

// SetTerse is described by device.Terse.
func (f *File) SetTerse(thread int32) bool { return f.proc.SetTerse(thread) == nil }

// Poll is described by device.File.
func (f *File) Poll(thread int32, timeout time.Duration) (int16, error) {
	if f.closed.Load() {
		return 0, unix.EBADF
	}
	ready, err := f.proc.Poll(thread, timeout)
	if ready {
		return unix.POLLIN, err
	}
	return 0, err
}

// Dup is described by device.File.
func (f *File) Dup() (device.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Load() {
		return nil, unix.EBADF
	}
	f.proc.Get()
	return &File{proc: f.proc, regions: f.regions}, nil
}

// Close is described by device.File.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Swap(true) {
		return unix.EBADF
	}
	f.proc.Close()
	return nil
}

// Mmap is described by device.File. The pages are those of a file of the
// region's own, opened for reading only, so that the kernel refuses to make
// them writable.
func (f *File) Mmap(length int, prot, flags int) (device.Mapping, error) {
	if prot&unix.PROT_WRITE != 0 {
		return nil, fmt.Errorf("binder mmap: %w", unix.EPERM)
	}
	if length <= 0 {
		return nil, fmt.Errorf("binder mmap: %w", unix.EINVAL)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed.Load() {
		return nil, fmt.Errorf("binder mmap: %w", unix.EBADF)
	}
	if f.proc.Mapped() {
		return nil, fmt.Errorf("binder mmap: %w", unix.EBUSY)
	}
	size := (length + os.Getpagesize() - 1) &^ (os.Getpagesize() - 1)
	file, err := f.regions.Create(f.proc.ID())
	if err != nil {
		return nil, fmt.Errorf("binder mmap: %w", err)
	}
	defer file.Close()
	mem, err := mapReadOnly(file, size)
	if err != nil {
		return nil, fmt.Errorf("binder mmap: %w", err)
	}
	if err := f.proc.Map(uint64(size), sys.Address(mem)); err != nil {
		_ = unix.Munmap(mem)
		return nil, err
	}
	f.proc.Get()
	return NewMapping(mem, length, f.proc.Unmap, f.proc.Put), nil
}

func mapReadOnly(file *os.File, size int) ([]byte, error) {
	ro, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	if err != nil {
		return nil, err
	}
	defer ro.Close()
	return unix.Mmap(int(ro.Fd()), 0, size, unix.PROT_READ, unix.MAP_SHARED)
}

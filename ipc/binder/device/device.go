// Package device says what a Binder device is: the thing that the kernel
// offers as /dev/binder. Everything above it (ProcessState, IPCThreadState,
// proxies, the service manager) and every conformance test talks to a device
// through the two interfaces here, so that the same code runs on the driver
// written in Go and on the kernel's own.
//
// The interface is that of the system calls that a Binder file answers: open,
// mmap, ioctl, poll, dup and close. Errors are errno values
// (golang.org/x/sys/unix.Errno), wrapped with context where that helps;
// errors.Is finds them. A device that this machine cannot offer reports an
// error that wraps errors.ErrUnsupported and says why.
package device

import "time"

// Device is a Binder device node: every Open of it creates a binder_proc in
// the device's one context.
type Device interface {
	// Name is the device's name as results and flags spell it: "inproc",
	// "shared", "daemon" or "kernel".
	Name() string

	// Open is open(2) of the node. Of the flags only unix.O_NONBLOCK has a
	// meaning; the file is always close-on-exec and readable and writable.
	Open(flags int) (File, error)
}

// File is one reference to an open binder_proc. Its methods may be called
// from several goroutines at once, each with the key of its own thread.
type File interface {
	// Ioctl is ioctl(2), issued by the binder thread with the key thread.
	//
	// A driver thread is an explicit key and not whatever OS thread happens
	// to run, because goroutines move; the kernel device ignores the key and
	// takes the calling OS thread, so callers lock their goroutine to it and
	// pass its thread id. arg is the address of the command's argument (or
	// the argument itself for commands that ignore it); it and every address
	// inside it must point to memory that Go's collector does not move or
	// free: mapped memory, or memory pinned for the length of the call.
	//
	// Bad addresses are EFAULT or EINVAL as with the kernel, never a crash.
	Ioctl(thread int32, cmd uint32, arg uintptr) error

	// Mmap is mmap(2) of the file: length bytes of receive region, with
	// PROT_* and MAP_* bits as the system call has them.
	Mmap(length int, prot, flags int) (Mapping, error)

	// Poll is poll(2) for POLLIN by the thread with the given key. A timeout
	// of zero only looks, a negative one waits for ever. It returns the
	// events that are ready, 0 on a timeout.
	Poll(thread int32, timeout time.Duration) (revents int16, err error)

	// Dup is dup(2): a second reference to the same binder_proc.
	Dup() (File, error)

	// Close is close(2): it flushes the binder_proc, which sends every
	// blocked reader home with BR_NOOP, and with the last reference (a
	// mapping is one too) releases it.
	Close() error
}

// Mapping is the receive region of a binder_proc as its owner sees it.
type Mapping interface {
	// Addr is where the region starts in the owner's address space.
	Addr() uintptr
	// Len is its length in bytes.
	Len() int
	// Bytes is the region as a slice. Reading a page that holds no buffer
	// may fault, as with the kernel's driver.
	Bytes() []byte
	// Protect is mprotect(2) of the whole region. Adding PROT_WRITE fails
	// with EACCES.
	Protect(prot int) error
	// Unmap is munmap(2) of length bytes at offset: after any of it the
	// binder_proc receives nothing more.
	Unmap(offset, length int) error
}

// Accountant is a File whose driver counts what it does for each thread. The
// kernel's cannot be asked.
type Accountant interface {
	// Account is the thread's account so far. Only the thread itself may
	// ask, between two ioctls.
	Account(thread int32) Account
}

// Terse is a File that can spare a thread what it would read after each reply,
// BR_TRANSACTION_COMPLETE and nothing else, so that the read that sends a reply
// waits for the next work: a caller that is quick then finds the thread that served
// it already waiting, and no other has to be woken. The kernel's driver has no such
// thing.
type Terse interface {
	// SetTerse is called between a thread's ioctls, and says whether it is so from
	// now on.
	SetTerse(thread int32) bool
}

// Account is what a driver did for one thread: bytes copied from and to the
// caller's memory, payload of transactions and everything else apart, and
// system calls made to wait and to wake.
type Account struct {
	PayloadFromUser, HeaderFromUser, HeaderToUser uint64
	Syscalls                                      uint64
}

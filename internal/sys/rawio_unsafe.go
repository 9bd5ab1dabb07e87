package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Six arguments where three would do, because RawSyscall calls RawSyscall6, and
// each return that leads out of the kernel costs: on an AMD EPYC 8 ns, since what
// the processor remembers of it is gone after a context switch.

// RawRead reads, raw, up to len(p) bytes. The errors are read(2)'s, among them
// EINTR and, from a non-blocking descriptor, EAGAIN. The safe form of it is
// unix.Read.
func RawRead(fd int, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_READ, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	if errno != 0 {
		return 0, errnoErr(errno)
	}
	return int(n), nil
}

// RawWrite writes, raw, up to len(p) bytes; see RawRead. The safe form of it is
// unix.Write.
func RawWrite(fd int, p []byte) (int, error) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_WRITE, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), 0, 0, 0)
	if errno != 0 {
		return 0, errnoErr(errno)
	}
	return int(n), nil
}

// RawPoll sleeps, raw and without end, until one of the events (unix.POLLIN,
// unix.POLLOUT), an error or a hang-up is there for fd. It returns EINTR when a
// signal came first.
func RawPoll(fd int, events int16) error {
	p := unix.PollFd{Fd: int32(fd), Events: events}
	_, _, errno := syscall.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&p)), 1, 0, 0, 0, 0)
	return errnoErr(errno)
}

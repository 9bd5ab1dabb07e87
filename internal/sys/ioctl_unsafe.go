package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Ioctl is ioctl(2) through the Go scheduler. arg is an address that neither
// moves nor goes away during the call, or a plain number.
func Ioctl(fd int, request uint32, arg uintptr) error {
	_, _, errno := syscall.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), arg)
	return errnoErr(errno)
}

// RawIoctl is Ioctl, raw.
func RawIoctl(fd int, request uint32, arg uintptr) error {
	_, _, errno := syscall.RawSyscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), arg)
	return errnoErr(errno)
}

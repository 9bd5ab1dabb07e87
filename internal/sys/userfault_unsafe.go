package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Userfaultfd is userfaultfd(2): a descriptor for memory whose faults wait until
// somebody deals with them, or the descriptor is closed. The errors are the call's:
// EPERM without the capability or the sysctl for it, ENOSYS.
func Userfaultfd(flags int) (fd int, err error) {
	n, _, errno := syscall.Syscall(unix.SYS_USERFAULTFD, uintptr(flags), 0, 0)
	if errno != 0 {
		return -1, errnoErr(errno)
	}
	return int(n), nil
}

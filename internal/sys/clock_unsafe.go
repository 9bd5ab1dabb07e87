package sys

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// RawSleep sleeps for d, raw, to the end also when signals interrupt it.
func RawSleep(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	for {
		_, _, errno := syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), uintptr(unsafe.Pointer(&ts)), 0)
		if errno != unix.EINTR {
			return
		}
	}
}

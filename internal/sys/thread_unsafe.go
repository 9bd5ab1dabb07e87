package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// SetThreadName names the calling OS thread, as ps and top show it. The kernel
// keeps the first 15 bytes.
func SetThreadName(name string) error {
	var b [16]byte
	copy(b[:15], name)
	return unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&b)), 0, 0, 0)
}

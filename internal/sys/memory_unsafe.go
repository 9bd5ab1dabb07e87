package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Vacate replaces the mapping of b, which begins and ends on a page, by untouched
// zero pages of the process's own: whatever was mapped there is let go, and a
// thread that still looks sees zeros instead of a fault. The addresses stay
// taken until the process ends.
func Vacate(b []byte) error {
	_, err := unix.MmapPtr(-1, 0, unsafe.Pointer(unsafe.SliceData(b)), uintptr(len(b)),
		unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_FIXED|unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	return err
}

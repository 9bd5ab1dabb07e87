package sys

import "unsafe"

// Address is where b begins in memory, 0 for an empty slice. It keeps nothing
// alive and nothing in place: b must be mapped or pinned while the number is
// in use.
func Address(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}

// Address64 is Address for a slice of 64-bit words.
func Address64(b []uint64) uint64 {
	if len(b) == 0 {
		return 0
	}
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}

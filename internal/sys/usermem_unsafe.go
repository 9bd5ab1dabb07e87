package sys

import (
	"runtime/debug"
	"syscall"
	"unsafe"
)

// CopyIn copies len(dst) bytes from an address of this process. It returns
// EFAULT, possibly after a part, if the address is bad; the process lives on.
func CopyIn(dst []byte, addr uintptr) error { return copyFaultable(dst, addr, false) }

// CopyOut copies src to an address of this process, as CopyIn does.
func CopyOut(addr uintptr, src []byte) error { return copyFaultable(src, addr, true) }

func copyFaultable(b []byte, addr uintptr, out bool) (err error) {
	if len(b) == 0 {
		return nil
	}
	if addr == 0 || addr+uintptr(len(b)) < addr {
		return errEFAULT
	}
	old := debug.SetPanicOnFault(true)
	defer func() {
		debug.SetPanicOnFault(old)
		if recover() != nil {
			err = errEFAULT
		}
	}()
	user := unsafe.Slice((*byte)(ptr(addr)), len(b))
	if out {
		copy(user, b)
	} else {
		copy(b, user)
	}
	return nil
}

var errEFAULT error = syscall.EFAULT

// ptr is the pointer for an address that did not come from a Go pointer; the
// detour keeps vet from taking it for one that did.
func ptr(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

// Address is where b lies in memory.
func Address(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }

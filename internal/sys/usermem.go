package sys

import (
	"runtime/debug"
	"syscall"
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
	done := false
	defer func() {
		debug.SetPanicOnFault(old)
		if !done && recover() != nil {
			err = errEFAULT
		}
	}()
	user := BytesAt(addr, len(b))
	if out {
		copy(user, b)
	} else {
		copy(b, user)
	}
	done = true
	return nil
}

var errEFAULT error = syscall.EFAULT

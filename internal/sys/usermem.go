package sys

import "syscall"

// CopyIn copies len(dst) bytes from an address of this process. It returns
// EFAULT, possibly after a part, if the address is bad. The process lives on if
// debug.SetPanicOnFault is on, which is the caller's to see to: once for many
// copies.
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
	done := false
	defer func() {
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

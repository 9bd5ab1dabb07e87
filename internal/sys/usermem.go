package sys

import "syscall"

// CopyIn copies len(dst) bytes from an address of this process. It returns
// EFAULT, possibly after a part, if the address is bad. The process lives on if
// debug.SetPanicOnFault is on, which is the caller's to see to: once for many
// copies.
func CopyIn(dst []byte, addr uintptr) (err error) {
	if len(dst) == 0 {
		return nil
	}
	if !addressable(addr, len(dst)) {
		return errEFAULT
	}
	err = errEFAULT // what a fault leaves
	defer func() {
		if err != nil {
			_ = recover()
		}
	}()
	copy(dst, BytesAt(addr, len(dst)))
	return nil
}

// CopyOut copies src to an address of this process, as CopyIn does.
func CopyOut(addr uintptr, src []byte) (err error) {
	if len(src) == 0 {
		return nil
	}
	if !addressable(addr, len(src)) {
		return errEFAULT
	}
	err = errEFAULT // what a fault leaves
	defer func() {
		if err != nil {
			_ = recover()
		}
	}()
	copy(BytesAt(addr, len(src)), src)
	return nil
}

// Faultable is n bytes at an address of this process, nil if there can be none.
// What CopyIn says of bad addresses holds for whoever touches them.
func Faultable(addr uintptr, n int) []byte {
	if !addressable(addr, n) {
		return nil
	}
	return BytesAt(addr, n)
}

// lowestAddress is below which nothing is mapped.
const lowestAddress = 4096

// addressable says whether n bytes could be mapped at an address.
func addressable(addr uintptr, n int) bool {
	return addr >= lowestAddress && addr+uintptr(n) >= addr
}

var errEFAULT error = syscall.EFAULT

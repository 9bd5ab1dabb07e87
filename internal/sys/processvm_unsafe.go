package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// RawProcessRead copies, raw, len(p) bytes at an address of another process into
// p by process_vm_readv, and returns how many it got: fewer than len(p) where the
// other memory ends. The errors are process_vm_readv(2)'s: EFAULT, EPERM, ESRCH,
// ENOSYS. It does not wait for the other process.
func RawProcessRead(pid int, address uint64, p []byte) (int, error) {
	local := unix.Iovec{Base: unsafe.SliceData(p), Len: uint64(len(p))}
	remote := unix.RemoteIovec{Base: uintptr(address), Len: len(p)}
	n, _, errno := syscall.RawSyscall6(unix.SYS_PROCESS_VM_READV, uintptr(pid),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	if errno != 0 {
		return 0, errnoErr(errno)
	}
	return int(n), nil
}

// ProcessRead is RawProcessRead through the Go scheduler, for memory of processes
// that may make the kernel wait for it (a FUSE file that they map).
func ProcessRead(pid int, address uint64, p []byte) (int, error) {
	return processCopy(unix.SYS_PROCESS_VM_READV, pid, address, p)
}

// ProcessWrite copies p to an address of another process by process_vm_writev, as
// ProcessRead reads.
func ProcessWrite(pid int, address uint64, p []byte) (int, error) {
	return processCopy(unix.SYS_PROCESS_VM_WRITEV, pid, address, p)
}

func processCopy(call uintptr, pid int, address uint64, p []byte) (int, error) {
	local := unix.Iovec{Base: unsafe.SliceData(p), Len: uint64(len(p))}
	remote := unix.RemoteIovec{Base: uintptr(address), Len: len(p)}
	n, _, errno := syscall.Syscall6(call, uintptr(pid),
		uintptr(unsafe.Pointer(&local)), 1, uintptr(unsafe.Pointer(&remote)), 1, 0)
	if errno != 0 {
		return 0, errnoErr(errno)
	}
	return int(n), nil
}

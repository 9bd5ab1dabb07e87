package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MapFile is mmap(2) of length bytes from the start of the file, or of
// anonymous memory with MAP_ANONYMOUS. Unlike unix.Mmap it keeps no record of
// the mapping, so that parts of it can be unmapped.
func MapFile(fd, length, prot, flags int) (addr uintptr, err error) {
	addr, _, errno := syscall.Syscall6(unix.SYS_MMAP, 0, uintptr(length), uintptr(prot), uintptr(flags), uintptr(fd), 0)
	return addr, errnoErr(errno)
}

// UnmapAt is munmap(2) of length bytes at addr.
func UnmapAt(addr uintptr, length int) error {
	_, _, errno := syscall.Syscall(unix.SYS_MUNMAP, addr, uintptr(length), 0)
	return errnoErr(errno)
}

// ProtectAt is mprotect(2) of length bytes at addr.
func ProtectAt(addr uintptr, length, prot int) error {
	_, _, errno := syscall.Syscall(unix.SYS_MPROTECT, addr, uintptr(length), uintptr(prot))
	return errnoErr(errno)
}

// BytesAt is the mapped memory at addr as a slice of n bytes. It must not be
// memory of Go's heap or stacks.
func BytesAt(addr uintptr, n int) []byte {
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&addr))), n)
}

// MapOver maps the start of a file, shared, in the place of mem, which begins and
// ends on a page.
func MapOver(mem []byte, fd, prot int) error {
	_, err := unix.MmapPtr(fd, 0, unsafe.Pointer(unsafe.SliceData(mem)), uintptr(len(mem)), prot, unix.MAP_FIXED|unix.MAP_SHARED)
	return err
}

// Resident says which pages of the length bytes at addr, which begin on a page,
// are in memory (mincore(2)); for a file, whether this process has touched them or
// not.
func Resident(addr uintptr, length int) ([]bool, error) {
	page := unix.Getpagesize()
	vector := make([]byte, (length+page-1)/page)
	if len(vector) == 0 {
		return nil, nil
	}
	_, _, errno := syscall.Syscall(unix.SYS_MINCORE, addr, uintptr(length), uintptr(unsafe.Pointer(unsafe.SliceData(vector))))
	if errno != 0 {
		return nil, errno
	}
	resident := make([]bool, len(vector))
	for i, v := range vector {
		resident[i] = v&1 != 0
	}
	return resident, nil
}

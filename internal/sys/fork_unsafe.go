package sys

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Look is what a forked child found.
type Look struct {
	Map  syscall.Errno // mapping a page of the inherited descriptor
	Look syscall.Errno // asking for the inherited memory: ENOMEM where none is mapped
}

// ForkedLook forks, and the child tries to map a page of fd and looks whether
// memory is mapped at addr. The child shares nothing with this process but
// the descriptor and a page for its answer; it makes raw calls only and ends,
// because nothing of the Go runtime lives on in it.
func ForkedLook(fd int, addr uintptr) (Look, error) {
	page, err := MapFile(-1, unix.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		return Look{}, err
	}
	defer UnmapAt(page, unix.Getpagesize())
	answer := (*[2]atomic.Uint32)(unsafe.Pointer(unsafe.SliceData(BytesAt(page, 16))))
	pid, errno := forkLooking(fd, addr, page+64, answer)
	if errno != 0 {
		return Look{}, errno
	}
	var status unix.WaitStatus
	for {
		if _, err = unix.Wait4(int(pid), &status, 0, nil); err != unix.EINTR {
			break
		}
	}
	return Look{Map: syscall.Errno(answer[0].Load()), Look: syscall.Errno(answer[1].Load())}, err
}

//go:noinline
//go:norace
func forkLooking(fd int, addr, vector uintptr, answer *[2]atomic.Uint32) (pid uintptr, errno syscall.Errno) {
	pid, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	_, _, e := syscall.RawSyscall6(unix.SYS_MMAP, 0, 4096, unix.PROT_READ, unix.MAP_PRIVATE, uintptr(fd), 0)
	answer[0].Store(uint32(e))
	_, _, e = syscall.RawSyscall(unix.SYS_MINCORE, addr, 4096, vector)
	answer[1].Store(uint32(e))
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}

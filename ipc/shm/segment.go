package shm

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

// segment is an attached SysV shared memory segment.
type segment struct {
	id  int
	mem []byte
}

// newSegment makes a segment of n bytes that lives exactly as long as somebody is
// attached: it is marked for removal at once, and Linux lets others attach by
// its identifier all the same.
func newSegment(n int) (segment, error) {
	const noReserve = 0o10000 // SHM_NORESERVE: room that is never touched is not accounted for
	id, err := unix.SysvShmGet(unix.IPC_PRIVATE, n, unix.IPC_CREAT|noReserve|0o600)
	if err != nil {
		return segment{}, fmt.Errorf("shmget of %d bytes: %w", n, err)
	}
	s, err := attach(id, n)
	if _, rmErr := unix.SysvShmCtl(id, unix.IPC_RMID, nil); err == nil && rmErr != nil {
		err = fmt.Errorf("shmctl IPC_RMID: %w", rmErr)
	}
	return s, err
}

// attach maps a segment, which must have the size that both ends derive from
// the channel's configuration.
func attach(id, n int) (segment, error) {
	mem, err := unix.SysvShmAttach(id, 0, 0)
	if err != nil {
		return segment{}, fmt.Errorf("shmat: %w", err)
	}
	if len(mem) != n {
		unix.SysvShmDetach(mem)
		return segment{}, fmt.Errorf("a segment of %d bytes where %d are expected", len(mem), n)
	}
	return segment{id, mem}, nil
}

// populate makes all pages of mem present in this process, so that no operation
// pays for a first touch. Kernels before 5.14 cannot, and fault later.
func populate(mem []byte) { unix.Madvise(mem, unix.MADV_POPULATE_WRITE) }

func (s segment) detach() error { return unix.SysvShmDetach(s.mem) }

// vacate detaches the segment while another thread may still look at it, which
// sees zeros from then on.
func (s segment) vacate() error { return sys.Vacate(s.mem) }

// pages rounds up to whole pages.
func pages(n int) int {
	page := os.Getpagesize()
	return (n + page - 1) / page * page
}

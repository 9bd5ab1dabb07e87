package sys

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// PerfRing is the ring buffer of a perf event: one page that says how far the
// kernel has written and this process has read, and the records behind it.
type PerfRing struct {
	mem  []byte
	meta *unix.PerfEventMmapPage
	data []byte
}

// MapPerfRing maps the ring of a perf event with size bytes for records: a
// power of two, and at least a page.
func MapPerfRing(fd, size int) (*PerfRing, error) {
	page := os.Getpagesize()
	mem, err := unix.Mmap(fd, 0, page+size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map a perf ring of %d bytes: %w", size, err)
	}
	meta := (*unix.PerfEventMmapPage)(unsafe.Pointer(unsafe.SliceData(mem)))
	return &PerfRing{mem: mem, meta: meta, data: mem[page:]}, nil
}

// Drain appends to dst the bytes that the kernel wrote since the last call, and
// gives their room back. They are whole records.
func (r *PerfRing) Drain(dst []byte) []byte {
	head, tail := atomic.LoadUint64(&r.meta.Data_head), r.meta.Data_tail
	from, n := tail&uint64(len(r.data)-1), head-tail
	first := min(n, uint64(len(r.data))-from)
	dst = append(dst, r.data[from:from+first]...)
	dst = append(dst, r.data[:n-first]...)
	atomic.StoreUint64(&r.meta.Data_tail, head)
	return dst
}

// Unmap gives the ring back; it must not be used afterwards.
func (r *PerfRing) Unmap() error { return unix.Munmap(r.mem) }

package ipc

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Headroom is how many bytes in front of every Buffer's payload a transport
// may use for headers, so that header and payload go out in one piece without
// staging. Message queues overwrite the bytes in front of a later fragment as
// well, and put them back.
const Headroom = 64

// Buffer is memory that messages are produced in: a payload of variable length
// behind Headroom bytes for the transport. The payload starts on a page of
// mapped memory, which Go's collector neither moves nor scans, so that its
// address may be given to a kernel or a driver.
type Buffer struct {
	mem    []byte
	start  int
	length int
	mapped bool
	huge   bool
}

// NewBuffer maps a buffer for payloads of up to n bytes, with all its pages
// present. Its length is n.
func NewBuffer(n int) (*Buffer, error) {
	page := os.Getpagesize()
	mem, err := mapBuffer(n, page+max(n, 1), unix.MAP_POPULATE)
	if err != nil {
		return nil, err
	}
	return &Buffer{mem: mem[:page+n], start: page, length: n, mapped: true}, nil
}

func mapBuffer(n, length, flags int) ([]byte, error) {
	if n < 0 || n > MaxPayload {
		return nil, fmt.Errorf("buffer of %d bytes: %w", n, ErrTooLarge)
	}
	mem, err := unix.Mmap(-1, 0, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|flags)
	if err != nil {
		return nil, fmt.Errorf("map a buffer of %d bytes: %w", n, err)
	}
	return mem, nil
}

// LentBuffer makes a buffer of memory that a transport owns: mem must begin with
// Headroom bytes before the payload. Free does nothing to it.
func LentBuffer(mem []byte) *Buffer {
	return &Buffer{mem: mem, start: Headroom, length: len(mem) - Headroom}
}

// Bytes is the payload.
func (b *Buffer) Bytes() []byte { return b.mem[b.start : b.start+b.length] }

// Len is the payload's length in bytes.
func (b *Buffer) Len() int { return b.length }

// Cap is the largest length that Resize takes.
func (b *Buffer) Cap() int { return len(b.mem) - b.start }

// Resize sets the payload's length, at most Cap.
func (b *Buffer) Resize(n int) {
	if n < 0 || n > b.Cap() {
		panic(fmt.Sprintf("ipc: buffer of %d bytes resized to %d", b.Cap(), n))
	}
	b.length = n
}

// Front is the payload with the n bytes of headroom in front of it, n at most
// Headroom.
func (b *Buffer) Front(n int) []byte {
	return b.mem[b.start-n : b.start+b.length]
}

// Free unmaps the memory of a buffer from NewBuffer. Its payload must not be
// touched afterwards.
func (b *Buffer) Free() error {
	if b == nil || !b.mapped {
		return nil
	}
	mem := b.mem[:cap(b.mem)]
	b.mem, b.start, b.length, b.mapped = nil, 0, 0, false
	return unix.Munmap(mem)
}

// Buffers owns the buffers of one end, so that Close frees them all.
type Buffers struct {
	// HugePages asks for buffers on huge pages.
	HugePages bool

	all []*Buffer
}

// Buffer maps a buffer and remembers it.
func (s *Buffers) Buffer(n int) (*Buffer, error) {
	newBuffer := NewBuffer
	if s.HugePages {
		newBuffer = NewHugeBuffer
	}
	b, err := newBuffer(n)
	if err == nil {
		s.all = append(s.all, b)
	}
	return b, err
}

// FreeAll gives the memory of every buffer that Buffer returned back. The
// addresses stay mapped, to zero pages, because an end may be closed while its
// handler still reads or writes.
func (s *Buffers) FreeAll() {
	for _, b := range s.all {
		unix.Madvise(b.mem[:cap(b.mem)], unix.MADV_DONTNEED)
	}
	s.all = nil
}

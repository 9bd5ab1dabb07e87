// Package parcel is Android's Parcel: the container in which Binder
// transactions carry their arguments and results. It mirrors the wire
// encoding of libbinder's Parcel (Android 14, libs/binder/Parcel.cpp):
// little-endian values padded to 4 bytes, UTF-16 strings, flat binder objects
// with a table of their offsets.
//
// A Parcel is either written by its owner or received. A received one lies in
// the receive region, read-only and without a copy, until Reset gives the
// buffer back. Everything read from it is checked: its bytes were chosen by
// another process. What refers to the region is named so; everything else that
// a Read method returns is a copy.
//
// A Parcel belongs to one goroutine at a time; it has no locks.
//
// Known gaps: no scatter-gather buffer objects (only hwbinder uses them), no
// blobs through ashmem, and no work source other than unset.
package parcel

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// Errors of reading. They are wrapped with what was read and where.
var (
	// ErrShort reports a value that reaches beyond the end of the data.
	ErrShort = errors.New("parcel ends before the value")
	// ErrInvalid reports bytes that cannot be the value asked for.
	ErrInvalid = errors.New("parcel holds something else")
	// ErrNull reports a null where a value is required.
	ErrNull = errors.New("parcel holds null")
)

// Region is where the buffers of received Parcels lie.
type Region interface {
	// FreeBuffer takes back the buffer that begins at address. It is called
	// once a buffer.
	FreeBuffer(address uint64)
}

// Parcel holds the data of one transaction. The zero value is empty and ready
// to be written to.
type Parcel struct {
	data    []byte
	pos     int
	objects []uint64
	// kept is what the written objects refer to, which lives at least until
	// the driver has taken references of its own.
	kept []io.Closer
	// owned are written descriptors that p closes.
	owned []int
	// region and address tell of a received buffer.
	region  Region
	address uint64
}

// Receive makes p hold the buffer at address in region: its data, and offsets,
// the bytes of its table of objects. What p held before is reset.
func (p *Parcel) Receive(data, offsets []byte, region Region, address uint64) {
	p.Reset()
	p.data, p.region, p.address = data, region, address
	for ; len(offsets) >= 8; offsets = offsets[8:] {
		p.objects = append(p.objects, order.Uint64(offsets))
	}
}

// Reset empties p: a received buffer goes back to its region, and descriptors and
// references that p owns are closed.
func (p *Parcel) Reset() {
	p.closeDescriptors()
	if p.region != nil {
		p.region.FreeBuffer(p.address)
		p.region, p.data = nil, nil
	}
	for _, owner := range p.kept {
		owner.Close()
	}
	clear(p.kept)
	p.data, p.pos = p.data[:0], 0
	p.objects, p.kept = p.objects[:0], p.kept[:0]
}

func (p *Parcel) closeDescriptors() {
	for _, fd := range p.owned {
		unix.Close(fd)
	}
	p.owned = p.owned[:0]
	if p.region == nil {
		return
	}
	for _, at := range p.objects {
		if fd, ok := p.descriptorAt(int(at)); ok {
			unix.Close(fd)
		}
	}
}

// Bytes is the data. A received Parcel's lie in the receive region and may be
// read until Reset.
func (p *Parcel) Bytes() []byte { return p.data }

// Objects is the table of object offsets in the data, in bytes, ascending.
func (p *Parcel) Objects() []uint64 { return p.objects }

// Len is the size of the data in bytes.
func (p *Parcel) Len() int { return len(p.data) }

// Position is where the next read begins, in bytes.
func (p *Parcel) Position() int { return p.pos }

// SetPosition moves the next read to a position between 0 and Len; others are
// moved to the nearest of the two.
func (p *Parcel) SetPosition(pos int) { p.pos = min(max(pos, 0), len(p.data)) }

// Remaining is how many bytes stand between the position and the end.
func (p *Parcel) Remaining() int { return len(p.data) - p.pos }

// grow appends n zeroed bytes and returns them.
func (p *Parcel) grow(n int) []byte {
	if p.region != nil {
		panic("parcel: write to a received Parcel")
	}
	start := len(p.data)
	if need := start + n; need <= cap(p.data) {
		p.data = p.data[:need]
		clear(p.data[start:])
	} else {
		p.data = append(p.data, make([]byte, n)...)
	}
	return p.data[start:]
}

// next takes n bytes, plus their padding, at the position. Bytes that belong to
// a flat object are not to be had as plain data: they hold what only the
// driver may say.
func (p *Parcel) next(n int) ([]byte, error) {
	padded := pad(n)
	if n < 0 || padded < n || padded > p.Remaining() {
		return nil, fmt.Errorf("%w: %d bytes at %d of %d", ErrShort, n, p.pos, len(p.data))
	}
	if p.overlapsObject(p.pos, p.pos+padded) {
		return nil, fmt.Errorf("%w: plain data at %d overlaps an object", ErrInvalid, p.pos)
	}
	b := p.data[p.pos : p.pos+n : p.pos+n]
	p.pos += padded
	return b, nil
}

func pad(n int) int { return (n + 3) &^ 3 }

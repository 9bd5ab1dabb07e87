package parcel

import (
	"encoding/binary"
	"fmt"
	"math"
)

var order = binary.LittleEndian

// WriteInt32 appends 4 bytes.
func (p *Parcel) WriteInt32(v int32) { order.PutUint32(p.grow(4), uint32(v)) }

// WriteUint32 appends 4 bytes.
func (p *Parcel) WriteUint32(v uint32) { order.PutUint32(p.grow(4), v) }

// WriteInt64 appends 8 bytes, aligned to 4 as everything in a Parcel.
func (p *Parcel) WriteInt64(v int64) { order.PutUint64(p.grow(8), uint64(v)) }

// WriteUint64 appends 8 bytes.
func (p *Parcel) WriteUint64(v uint64) { order.PutUint64(p.grow(8), v) }

// WriteFloat32 appends 4 bytes.
func (p *Parcel) WriteFloat32(v float32) { p.WriteUint32(math.Float32bits(v)) }

// WriteFloat64 appends 8 bytes.
func (p *Parcel) WriteFloat64(v float64) { p.WriteUint64(math.Float64bits(v)) }

// WriteBool appends 4 bytes, 0 or 1.
func (p *Parcel) WriteBool(v bool) {
	var i int32
	if v {
		i = 1
	}
	p.WriteInt32(i)
}

// ReadInt32 reads 4 bytes.
func (p *Parcel) ReadInt32() (int32, error) {
	v, err := p.ReadUint32()
	return int32(v), err
}

// ReadUint32 reads 4 bytes.
func (p *Parcel) ReadUint32() (uint32, error) {
	b, err := p.next(4)
	if err != nil {
		return 0, err
	}
	return order.Uint32(b), nil
}

// ReadInt64 reads 8 bytes.
func (p *Parcel) ReadInt64() (int64, error) {
	v, err := p.ReadUint64()
	return int64(v), err
}

// ReadUint64 reads 8 bytes.
func (p *Parcel) ReadUint64() (uint64, error) {
	b, err := p.next(8)
	if err != nil {
		return 0, err
	}
	return order.Uint64(b), nil
}

// ReadFloat32 reads 4 bytes.
func (p *Parcel) ReadFloat32() (float32, error) {
	v, err := p.ReadUint32()
	return math.Float32frombits(v), err
}

// ReadFloat64 reads 8 bytes.
func (p *Parcel) ReadFloat64() (float64, error) {
	v, err := p.ReadUint64()
	return math.Float64frombits(v), err
}

// ReadBool reads 4 bytes; like libbinder it takes every value but 0 for true.
func (p *Parcel) ReadBool() (bool, error) {
	v, err := p.ReadUint32()
	return v != 0, err
}

// ReadCount reads the length of a sequence whose elements take at least
// elementSize bytes each, and checks that so many can follow. Null (-1) wraps
// ErrNull.
func (p *Parcel) ReadCount(elementSize int) (int, error) {
	n, err := p.ReadInt32()
	switch {
	case err != nil:
		return 0, err
	case n == nullLength:
		return 0, fmt.Errorf("%w instead of a sequence", ErrNull)
	case n < 0:
		return 0, fmt.Errorf("%w: length %d", ErrInvalid, n)
	case int64(n)*int64(elementSize) > int64(p.Remaining()):
		return 0, fmt.Errorf("%w: %d elements of %d bytes or more", ErrShort, n, elementSize)
	}
	return int(n), nil
}

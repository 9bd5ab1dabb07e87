package parcel

// nullLength stands for null where a length is expected.
const nullLength = -1

// Write appends b, padded to 4 bytes, without a length.
func (p *Parcel) Write(b []byte) { copy(p.grow(pad(len(b))), b) }

// Append appends n zeroed bytes plus padding and returns the n bytes, to be
// filled in place before the next call on p.
func (p *Parcel) Append(n int) []byte { return p.grow(pad(n))[:n] }

// Next reads n bytes and their padding, in place: the result lies in the
// Parcel's own memory.
func (p *Parcel) Next(n int) ([]byte, error) { return p.next(n) }

// WriteByteArray appends the length and the bytes; nil is written as null.
func (p *Parcel) WriteByteArray(b []byte) {
	if b == nil {
		p.WriteInt32(nullLength)
		return
	}
	p.WriteInt32(int32(len(b)))
	p.Write(b)
}

// NextByteArray reads a byte array in place: the result lies in the Parcel's
// own memory. Null is nil, without an error.
func (p *Parcel) NextByteArray() ([]byte, error) {
	n, err := p.ReadCount(1)
	if isNull(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p.next(n)
}

// ReadByteArray reads a byte array into memory of its own. Null is nil.
func (p *Parcel) ReadByteArray() ([]byte, error) {
	b, err := p.NextByteArray()
	if b == nil {
		return nil, err
	}
	return append(make([]byte, 0, len(b)), b...), nil
}

// WriteInt32Array appends the length and the elements; nil is written as null.
func (p *Parcel) WriteInt32Array(v []int32) {
	if v == nil {
		p.WriteInt32(nullLength)
		return
	}
	p.WriteInt32(int32(len(v)))
	for _, e := range v {
		p.WriteInt32(e)
	}
}

// ReadInt32Array reads an array of int32. Null is nil.
func (p *Parcel) ReadInt32Array() ([]int32, error) {
	return readArray(p, 4, p.ReadInt32)
}

// WriteInt64Array appends the length and the elements; nil is written as null.
func (p *Parcel) WriteInt64Array(v []int64) {
	if v == nil {
		p.WriteInt32(nullLength)
		return
	}
	p.WriteInt32(int32(len(v)))
	for _, e := range v {
		p.WriteInt64(e)
	}
}

// ReadInt64Array reads an array of int64. Null is nil.
func (p *Parcel) ReadInt64Array() ([]int64, error) {
	return readArray(p, 8, p.ReadInt64)
}

func readArray[T any](p *Parcel, elementSize int, read func() (T, error)) ([]T, error) {
	n, err := p.ReadCount(elementSize)
	if isNull(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := make([]T, n)
	for i := range out {
		if out[i], err = read(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

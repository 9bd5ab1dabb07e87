package abi

import (
	"errors"
	"fmt"
	"io"
)

// Errors of the codec.
var (
	// ErrNoRoom says that the lent slice was too short for what was encoded.
	ErrNoRoom = errors.New("binder abi: no room to encode")
	// ErrTruncated says that a stream ends inside a command.
	ErrTruncated = errors.New("binder abi: truncated command")
)

const sizeofCode = 4

// Encoder writes a stream of commands (C is Command) or returns (C is Return)
// into a slice that the caller lends. What does not fit is left out as a
// whole, and Err says so from then on.
type Encoder[C ~uint32] struct {
	buf  []byte
	n    int
	full bool
}

// NewEncoder returns an encoder that writes to buf from its beginning.
func NewEncoder[C ~uint32](buf []byte) Encoder[C] { return Encoder[C]{buf: buf} }

// Reset empties the encoder; it keeps writing to the same slice.
func (e *Encoder[C]) Reset() { e.n, e.full = 0, false }

// Drop forgets the first n bytes written, of those that Len counts, and whether
// anything did not fit.
func (e *Encoder[C]) Drop(n int) {
	if n < e.n {
		copy(e.buf, e.buf[n:e.n])
	}
	e.n, e.full = e.n-n, false
}

// Len is the number of bytes written.
func (e *Encoder[C]) Len() int { return e.n }

// Room is the number of bytes that are left.
func (e *Encoder[C]) Room() int { return len(e.buf) - e.n }

// Bytes is the stream written so far, a part of the lent slice.
func (e *Encoder[C]) Bytes() []byte { return e.buf[:e.n] }

// Err is ErrNoRoom if anything did not fit since the last Reset.
func (e *Encoder[C]) Err() error {
	if e.full {
		return ErrNoRoom
	}
	return nil
}

// put writes the code and returns what is behind it, nil if there is no room for
// size bytes.
func (e *Encoder[C]) put(code C, size int) []byte {
	rest := e.buf[e.n:]
	if len(rest) < sizeofCode+size {
		e.full = true
		return nil
	}
	order.PutUint32(rest, uint32(code))
	e.n += sizeofCode + size
	return rest[sizeofCode:]
}

// Code writes a code without payload.
func (e *Encoder[C]) Code(code C) { e.put(code, 0) }

// Uint32 writes a code with a 32-bit payload, such as a handle.
func (e *Encoder[C]) Uint32(code C, v uint32) {
	if b := e.put(code, 4); b != nil {
		order.PutUint32(b, v)
	}
}

// Uint64 writes a code with a 64-bit payload, such as a cookie or an address.
func (e *Encoder[C]) Uint64(code C, v uint64) {
	if b := e.put(code, 8); b != nil {
		order.PutUint64(b, v)
	}
}

// PtrCookie writes a code with a node's name.
func (e *Encoder[C]) PtrCookie(code C, v PtrCookie) {
	if b := e.put(code, SizeofPtrCookie); b != nil {
		v.Encode(b)
	}
}

// HandleCookie writes a code with a handle and a cookie.
func (e *Encoder[C]) HandleCookie(code C, v HandleCookie) {
	if b := e.put(code, SizeofHandleCookie); b != nil {
		v.Encode(b)
	}
}

// Transaction writes a code with transaction data.
func (e *Encoder[C]) Transaction(code C, v *TransactionData) {
	if b := e.put(code, SizeofTransactionData); b != nil {
		v.Encode(b)
	}
}

// TransactionSG writes a code with scatter-gather transaction data.
func (e *Encoder[C]) TransactionSG(code C, v *TransactionDataSG) {
	if b := e.put(code, SizeofTransactionDataSG); b != nil {
		v.Encode(b)
	}
}

// TransactionSecCtx writes a code with transaction data and security context.
func (e *Encoder[C]) TransactionSecCtx(code C, v *TransactionDataSecCtx) {
	if b := e.put(code, SizeofTransactionDataSecCtx); b != nil {
		v.Encode(b)
	}
}

// FrozenState writes a code with the state of a frozen node.
func (e *Encoder[C]) FrozenState(code C, v *FrozenStateInfo) {
	if b := e.put(code, SizeofFrozenStateInfo); b != nil {
		v.Encode(b)
	}
}

// Decoder reads a stream of commands or returns out of a slice.
type Decoder[C ~uint32] struct {
	buf []byte
	n   int
}

// NewDecoder returns a decoder of the stream in buf.
func NewDecoder[C ~uint32](buf []byte) Decoder[C] { return Decoder[C]{buf: buf} }

// Offset is the number of bytes decoded.
func (d *Decoder[C]) Offset() int { return d.n }

// More says whether Offset is not yet the end.
func (d *Decoder[C]) More() bool { return d.n < len(d.buf) }

// Next returns the next code and its payload, which stays a part of the
// stream's slice; its length is what the code announces, so that a structure
// of the code can be decoded from it. At the end it returns io.EOF, and an
// error that wraps ErrTruncated if the stream ends inside a command, which is
// then not consumed.
func (d *Decoder[C]) Next() (code C, payload []byte, err error) {
	rest := d.buf[d.n:]
	if len(rest) < sizeofCode {
		return 0, nil, d.end()
	}
	code = C(order.Uint32(rest))
	end := sizeofCode + payloadSize(uint32(code))
	if end > len(rest) {
		return 0, nil, d.end()
	}
	d.n += end
	return code, rest[sizeofCode:end], nil
}

// end is why there is no next command.
func (d *Decoder[C]) end() error {
	rest := d.buf[d.n:]
	switch {
	case len(rest) == 0:
		return io.EOF
	case len(rest) < sizeofCode:
		return fmt.Errorf("%w: %d bytes left", ErrTruncated, len(rest))
	}
	code := order.Uint32(rest)
	return fmt.Errorf("%w: %#x needs %d bytes, %d left", ErrTruncated, code, payloadSize(code), len(rest)-sizeofCode)
}

// Uint32 is a 32-bit payload as returned by Next.
func Uint32(payload []byte) uint32 { return order.Uint32(payload) }

// Uint64 is a 64-bit payload as returned by Next.
func Uint64(payload []byte) uint64 { return order.Uint64(payload) }

package ipc

import (
	"encoding/binary"
	"fmt"
)

// HeaderSize is the size of an encoded Header in bytes.
const HeaderSize = 16

// Flags of a message.
type Flags uint32

const (
	// OneWay marks a request that is not answered.
	OneWay Flags = 1 << iota
	// Stop asks the server to end serving this client, and is answered.
	Stop

	knownFlags = OneWay | Stop
)

// Header stands before every message of a Conn, little-endian: length u32,
// flags u32, sequence u64.
type Header struct {
	// Length of the payload in bytes.
	Length uint32
	Flags  Flags
	// Sequence number of the request; a reply repeats its request's.
	Sequence uint64
}

// Put encodes the header into the first HeaderSize bytes of b.
func (h Header) Put(b []byte) {
	binary.LittleEndian.PutUint32(b, h.Length)
	binary.LittleEndian.PutUint32(b[4:], uint32(h.Flags))
	binary.LittleEndian.PutUint64(b[8:], h.Sequence)
}

// ParseHeader decodes what Put encoded. limit is the largest payload that the
// receiver has room for: the bytes come from another process and may say
// anything. Short, oversized or unknown headers wrap ErrProtocol.
func ParseHeader(b []byte, limit int) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("%w: header of %d bytes", ErrProtocol, len(b))
	}
	h := Header{
		Length:   binary.LittleEndian.Uint32(b),
		Flags:    Flags(binary.LittleEndian.Uint32(b[4:])),
		Sequence: binary.LittleEndian.Uint64(b[8:]),
	}
	if int64(h.Length) > int64(limit) || h.Flags&^knownFlags != 0 {
		return Header{}, h.refused(limit)
	}
	return h, nil
}

func (h Header) refused(limit int) error {
	if h.Flags&^knownFlags != 0 {
		return fmt.Errorf("%w: flags %#x", ErrProtocol, uint32(h.Flags))
	}
	return fmt.Errorf("%w: a message of %d bytes where at most %d are expected", ErrProtocol, h.Length, limit)
}

// TooLarge is the error of a Send whose payload is above the channel's limit.
func TooLarge(h Header, limit int) error {
	return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, h.Length, limit)
}

package wire

import (
	"encoding/binary"
	"errors"
)

// Version is that of messages and pages; Hello carries it.
const Version = 4

// Operation is what a client's message asks for.
type Operation uint32

// The operations, with what goes in A and B, and what the answer carries.
const (
	Hello     Operation = iota + 1 // A: Version. Answer: A, the daemon's pid
	Open                           // A: an address, B: what 8 bytes lie there. Answer: a socket for descriptors
	Map                            // A: length, B: address. Answer: the region's file
	Unmap                          // any part of the region
	Thread                         // A: the thread's key. Answer: its page
	Interrupt                      // A: the thread's key, B: the number of the call that is to end
	Flush                          // a duplicate of the file was closed
	State                          // A: number of a view, B: the process of Process. Answer: a file with the text
)

// Views are the texts that a daemon shows of itself, by their numbers in a State
// message.
var Views = []string{"state", "stats", "transactions"}

// Process is the number of the view "proc/PID".
const Process = 100

// Message is what goes over the socket, both ways.
type Message struct {
	Operation Operation
	Errno     uint32
	A, B      uint64
	Flags     uint64 // of Open
}

// MessageSize is the length of a message in bytes.
const MessageSize = 32

// ErrMessage says that what came is no message.
var ErrMessage = errors.New("binder daemon: not a message")

// Encode is the message in bytes.
func (m *Message) Encode() []byte {
	b := make([]byte, 0, MessageSize)
	b = binary.NativeEndian.AppendUint32(b, uint32(m.Operation))
	b = binary.NativeEndian.AppendUint32(b, m.Errno)
	b = binary.NativeEndian.AppendUint64(b, m.A)
	b = binary.NativeEndian.AppendUint64(b, m.B)
	return binary.NativeEndian.AppendUint64(b, m.Flags)
}

// Decode reads a message. The error is ErrMessage.
func (m *Message) Decode(b []byte) error {
	if len(b) != MessageSize {
		return ErrMessage
	}
	m.Operation = Operation(binary.NativeEndian.Uint32(b))
	m.Errno = binary.NativeEndian.Uint32(b[4:])
	m.A = binary.NativeEndian.Uint64(b[8:])
	m.B = binary.NativeEndian.Uint64(b[16:])
	m.Flags = binary.NativeEndian.Uint64(b[24:])
	return nil
}

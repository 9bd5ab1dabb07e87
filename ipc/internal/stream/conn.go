package stream

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// Sites are where the kernel copies for a transport.
type Sites struct{ Read, Write copies.Site }

// HeaderSize is how many bytes stand before a payload: the contract's header and
// padding up to the next cache line. The kernel copies to the start of a page
// what begins HeaderSize before one; there are short distances at which the string
// copies of a processor take more than twice as long. On an AMD EPYC a round trip
// of 64 KiB through a pipe took 81 to 87 µs with 8, 16 or 24 bytes, 35 to 41 µs with
// none, 32, 40, 48, 56 or 64 (go test -bench Header ./ipc/internal/stream).
const HeaderSize = ipc.Headroom

// conn is a duplex channel of messages over an End. Send and Recv are written
// out, as far as the usual message goes: see End.
type conn struct {
	end     End
	wait    ipc.Wait
	gate    ipc.Gate
	ledger  *copies.Ledger
	sites   Sites
	inbox   inbox
	buffers ipc.Buffers
	// bare carries the header of messages without a payload.
	bare *ipc.Buffer
	// maxOut and maxIn bound the payloads.
	maxOut, maxIn int
	// record, if not zero, is the most bytes that one write takes, and each
	// message starts with a read of its own.
	record int
	// failed is why the two ends are out of step for good.
	failed error
}

func (c *conn) Buffer(n int) (*ipc.Buffer, error) { return c.buffers.Buffer(n) }

func (c *conn) Ledger() *copies.Ledger { return c.ledger }

func (c *conn) Send(h ipc.Header, b *ipc.Buffer) error {
	if int64(h.Length) > int64(c.maxOut) {
		return ipc.TooLarge(h, c.maxOut)
	}
	if err := c.enter(); err != nil {
		return err
	}
	if b == nil {
		b = c.bare
	}
	message := b.Front(HeaderSize)
	h.Put(message)
	for sent := 0; sent < len(message); {
		p := c.piece(message[sent:])
		c.ledger.Syscalls(1)
		n, err := c.end.Write(c.end.Out, p)
		if err != nil {
			n, err = c.writeAgain(p, err)
		}
		if err != nil || c.gate.IsShut() {
			return c.fail("send", err)
		}
		header := min(n, max(0, HeaderSize-sent))
		c.ledger.Sent(c.sites.Write, n-header, header)
		sent += n
	}
	c.gate.Leave()
	return nil
}

// piece is as much of p as one write takes.
func (c *conn) piece(p []byte) []byte {
	if c.record > 0 && len(p) > c.record {
		return p[:c.record]
	}
	return p
}

// Recv reads until there is a header, and then the payload it announces; a
// message that comes alone and fits the buffers of the kernel takes one read.
func (c *conn) Recv() (h ipc.Header, payload []byte, err error) {
	if err := c.enter(); err != nil {
		return h, nil, err
	}
	in := &c.inbox
	if in.unread() == 0 {
		in.reset()
		p := in.room(HeaderSize)
		c.ledger.Syscalls(1)
		n, err := c.end.Read(c.end.In, p)
		if err = c.arrived(p, n, err); err != nil {
			return h, nil, err
		}
	}
	if in.unread() < HeaderSize {
		if err := c.fill(HeaderSize); err != nil {
			return h, nil, err
		}
	}
	if h, err = ipc.ParseHeader(in.memory[in.start:], c.maxIn); err != nil {
		return h, nil, c.fail("receive", err)
	}
	size := HeaderSize + int(h.Length)
	if in.unread() < size {
		if err := c.fill(size); err != nil {
			return h, nil, err
		}
	}
	message := in.take(size)
	if c.record > 0 && in.unread() > 0 {
		return h, nil, c.fail("receive", errRecordGoesOn)
	}
	c.ledger.Delivered(int(h.Length))
	c.gate.Leave()
	return h, message[HeaderSize:], nil
}

// fill reads until n bytes are unread.
func (c *conn) fill(n int) error {
	for c.inbox.unread() < n {
		p := c.inbox.room(n)
		c.ledger.Syscalls(1)
		got, err := c.end.Read(c.end.In, p)
		if err := c.arrived(p, got, err); err != nil {
			return err
		}
	}
	return nil
}

// arrived takes what a read of p returned, and reads once more if that was
// nothing.
func (c *conn) arrived(p []byte, n int, err error) error {
	if n <= 0 {
		n, err = c.readAgain(p, err)
	}
	if err != nil || c.gate.IsShut() {
		return c.fail("receive", err)
	}
	header := c.inbox.took(n)
	c.ledger.Received(c.sites.Read, n-header, header)
	return nil
}

var errRecordGoesOn = fmt.Errorf("%w: a record goes on after its message", ipc.ErrProtocol)

func (c *conn) enter() error {
	if c.failed != nil {
		return c.failed
	}
	return c.gate.Enter()
}

// fail ends an operation. It says what an error means to the contract, and keeps
// it: after it the two ends no longer agree where a message begins.
func (c *conn) fail(doing string, err error) error {
	defer c.gate.Leave()
	switch {
	case c.gate.IsShut():
		return fmt.Errorf("%s: %w", doing, ipc.ErrClosed)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		err = ipc.ErrPeerGone
	}
	c.failed = fmt.Errorf("%s: %w", doing, err)
	return c.failed
}

func (c *conn) Close() error {
	if !c.gate.Shut(c.end.Wake) {
		return nil
	}
	c.buffers.FreeAll()
	return errors.Join(c.inbox.free(), c.end.Close())
}

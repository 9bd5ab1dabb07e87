package stream

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// End moves bytes to and from the peer, one goroutine at a time.
type End interface {
	// Read waits for bytes and reads some. The peer's end shows as io.EOF.
	Read(p []byte) (int, error)
	// Write waits for room and writes some or all of p.
	Write(p []byte) (int, error)
	// Wake makes a Read or Write that waits in another goroutine return, or
	// come nearer to it; it may be called again.
	Wake()
	// Close lets go of the descriptors, when nobody is inside.
	Close() error
}

// Sites are where the kernel copies for a transport.
type Sites struct{ Read, Write copies.Site }

// HeaderSize is how many bytes stand before a payload: the contract's header and
// padding up to the next cache line. The kernel copies to the start of a page
// what begins HeaderSize before one; where that distance is between 1 and 63
// bytes, the string copies of some processors take 2 to 3 times as long. On an
// AMD EPYC a round trip of 64 KiB through a pipe took 81 µs with 16 bytes, 37 µs
// with 64, and as much with 128.
const HeaderSize = ipc.Headroom

// conn is a duplex channel of messages over an End.
type conn struct {
	end     End
	gate    *ipc.Gate
	ledger  *copies.Ledger
	sites   Sites
	inbox   *inbox
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
		return fmt.Errorf("%w: %d bytes, at most %d", ipc.ErrTooLarge, h.Length, c.maxOut)
	}
	if err := c.enter(); err != nil {
		return err
	}
	defer c.gate.Leave()
	if b == nil {
		b = c.bare
	}
	message := b.Front(HeaderSize)
	h.Put(message)
	for sent := 0; sent < len(message); {
		n, err := c.end.Write(c.piece(message[sent:]))
		if err != nil {
			return c.fail("send", err)
		}
		header := min(n, max(0, HeaderSize-sent))
		c.ledger.Sent(c.sites.Write, n-header, header)
		sent += n
	}
	return nil
}

// piece is as much of p as one write takes.
func (c *conn) piece(p []byte) []byte {
	if c.record > 0 && len(p) > c.record {
		return p[:c.record]
	}
	return p
}

func (c *conn) Recv() (ipc.Header, []byte, error) {
	if err := c.enter(); err != nil {
		return ipc.Header{}, nil, err
	}
	defer c.gate.Leave()
	if c.inbox.empty() {
		c.inbox.reset()
	}
	if err := c.fill(HeaderSize); err != nil {
		return ipc.Header{}, nil, err
	}
	h, err := ipc.ParseHeader(c.inbox.unread(), c.maxIn)
	if err != nil {
		return h, nil, c.fail("receive", err)
	}
	size := HeaderSize + int(h.Length)
	if err := c.fill(size); err != nil {
		return h, nil, err
	}
	message := c.inbox.unread()[:size]
	c.inbox.consume(size)
	if c.record > 0 && !c.inbox.empty() {
		return h, nil, c.fail("receive", fmt.Errorf("%w: a record goes on after its message", ipc.ErrProtocol))
	}
	c.ledger.Delivered(int(h.Length))
	return h, message[HeaderSize:], nil
}

// fill reads until n bytes are unread.
func (c *conn) fill(n int) error {
	for len(c.inbox.unread()) < n {
		got, err := c.end.Read(c.inbox.room(n))
		if err != nil {
			return c.fail("receive", err)
		}
		payload, header := c.inbox.took(got)
		c.ledger.Received(c.sites.Read, payload, header)
	}
	return nil
}

func (c *conn) enter() error {
	if c.failed != nil {
		return c.failed
	}
	return c.gate.Enter()
}

// fail says what an error means to the contract, and keeps it: after it the two
// ends no longer agree where a message begins.
func (c *conn) fail(doing string, err error) error {
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

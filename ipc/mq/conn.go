package mq

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// conn is an end of a connection over two queues. A message is its header and
// payload, as they lie in memory, cut into fragments of the size that the
// system allows; the receiver joins them in place.
type conn struct {
	gate     ipc.Gate
	ending   ipc.Ending
	wait     ipc.Wait
	lifeline *ipc.Lifeline
	ledger   *copies.Ledger
	sites    sites

	out, in queue
	sending atomic.Bool // a Send is in progress

	maxOut, maxIn       int // payload
	recordOut, recordIn int // fragment

	inbox   *ipc.Buffer // payload, and room for an oversized last fragment
	bare    *ipc.Buffer // sends messages without a payload
	buffers ipc.Buffers
}

// sites are where the kernel copies. What is counted is what the call's size
// says: SysV's type word in front of the text is no part of it.
type sites struct{ send, receive copies.Site }

// start completes a conn, which owns the end of the lifeline if this succeeds.
func (c *conn) start(end *os.File) (err error) {
	if c.inbox, err = c.buffers.Buffer(c.maxIn + c.recordIn); err != nil {
		return err
	}
	if c.bare, err = c.buffers.Buffer(0); err != nil {
		c.buffers.FreeAll()
		return err
	}
	c.lifeline = ipc.Watch(end, func() {
		c.ending.PeerGone()
		c.in.interruptReceive()
		c.out.interruptSend()
	})
	return nil
}

// Send implements ipc.Conn.
func (c *conn) Send(h ipc.Header, b *ipc.Buffer) error {
	if err := c.gate.Enter(); err != nil {
		return err
	}
	defer c.gate.Leave()
	c.sending.Store(true)
	defer c.sending.Store(false)
	if int64(h.Length) > int64(c.maxOut) {
		return fmt.Errorf("send %d bytes: %w: at most %d", h.Length, ipc.ErrTooLarge, c.maxOut)
	}
	if b == nil {
		b = c.bare
	}
	memory := b.Front(ipc.Headroom)[:ipc.Headroom+int(h.Length)]
	at := ipc.Headroom - ipc.HeaderSize
	h.Put(memory[at:])
	header := ipc.HeaderSize // of the first fragment
	for at < len(memory) {
		n := min(len(memory)-at, c.recordOut)
		if err := c.sendFragment(memory, at, n); err != nil {
			return err
		}
		c.ledger.Sent(c.sites.send, n-header, header)
		at += n
		header = 0
	}
	return nil
}

// sendFragment sends memory[at:at+n]. What the queue wants to write in front of
// it is payload, from the second fragment on, and is put back.
func (c *conn) sendFragment(memory []byte, at, n int) error {
	front := c.out.front()
	frame := memory[at-front : at+n]
	var saved [8]byte
	copy(saved[:front], frame)
	defer copy(frame, saved[:front])
	for look := ipc.NewLook(c.wait); ; {
		if err := c.over(); err != nil {
			return err
		}
		c.ledger.Syscalls(1)
		switch err := c.out.send(frame, look.Again()); err {
		case nil:
			return nil
		case unix.EAGAIN, unix.EINTR:
		case unix.EIDRM:
			return c.removed()
		default:
			return fmt.Errorf("send %d bytes: %w", n, err)
		}
	}
}

// over is why the end is over, or nil.
func (c *conn) over() error {
	if c.gate.IsShut() {
		return ipc.ErrClosed
	}
	return c.ending.Err()
}

// removed is why the queue was removed.
func (c *conn) removed() error {
	if err := c.over(); err != nil {
		return err
	}
	return ipc.ErrPeerGone
}

// Recv implements ipc.Conn.
func (c *conn) Recv() (ipc.Header, []byte, error) {
	if err := c.gate.Enter(); err != nil {
		return ipc.Header{}, nil, err
	}
	defer c.gate.Leave()
	memory := c.inbox.Front(ipc.Headroom)
	at := ipc.Headroom - ipc.HeaderSize
	n, err := c.receiveFragment(memory, at)
	if err != nil {
		return ipc.Header{}, nil, err
	}
	h, err := ipc.ParseHeader(memory[at:at+n], c.maxIn)
	if err != nil {
		return ipc.Header{}, nil, err
	}
	c.ledger.Received(c.sites.receive, n-ipc.HeaderSize, ipc.HeaderSize)
	end := ipc.Headroom + int(h.Length)
	for at += n; at < end; at += n {
		if n, err = c.receiveFragment(memory, at); err != nil {
			return ipc.Header{}, nil, err
		}
		c.ledger.Received(c.sites.receive, n, 0)
	}
	if at != end {
		return ipc.Header{}, nil, fmt.Errorf("%w: %d bytes beyond a message of %d", ipc.ErrProtocol, at-end, h.Length)
	}
	c.ledger.Delivered(int(h.Length))
	return h, memory[ipc.Headroom:end:end], nil
}

// receiveFragment receives into memory[at:]. From the second fragment on, what
// the queue writes in front of it is put back to the payload that was there.
func (c *conn) receiveFragment(memory []byte, at int) (int, error) {
	front := c.in.front()
	frame := memory[at-front : at+c.recordIn]
	var saved [8]byte
	copy(saved[:front], frame)
	defer copy(frame, saved[:front])
	for look := ipc.NewLook(c.wait); ; {
		over := c.over() // before the queue: what a peer sent before it died counts
		c.ledger.Syscalls(1)
		n, err := c.in.receive(frame, over != nil || look.Again())
		switch {
		case over == ipc.ErrClosed:
			return 0, over
		case err == nil && n > 0:
			return n, nil
		case err == nil && c.over() == nil: // nor did this end interrupt itself
			return 0, fmt.Errorf("%w: an empty fragment", ipc.ErrProtocol)
		case err == unix.EAGAIN && over != nil:
			return 0, over
		case err == unix.EIDRM:
			return 0, c.removed()
		case err != nil && err != unix.EAGAIN && err != unix.EINTR:
			return 0, fmt.Errorf("receive: %w", err)
		}
	}
}

// Buffer implements ipc.Conn.
func (c *conn) Buffer(n int) (*ipc.Buffer, error) { return c.buffers.Buffer(n) }

// Ledger implements ipc.Conn.
func (c *conn) Ledger() *copies.Ledger { return c.ledger }

// Close implements ipc.Conn. What was sent and is not read yet is the peer's; its
// queue goes when the peer closes its end or dies. A message that is sent in part
// takes those before it along where only the queue's removal interrupts it.
func (c *conn) Close() error {
	torn := false // a message is sent in part
	if !c.gate.Shut(func() {
		if c.sending.Load() {
			torn = true
			c.out.interruptSend()
		} else {
			c.in.interruptReceive()
		}
	}) {
		return nil
	}
	c.buffers.FreeAll()
	if !torn && c.ending.Err() == nil && c.out.unread() {
		return errors.Join(c.lifeline.Linger(), c.in.close())
	}
	return errors.Join(c.lifeline.Close(), c.out.close(), c.in.close())
}

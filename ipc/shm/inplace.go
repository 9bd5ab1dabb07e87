package shm

import (
	"errors"
	"fmt"
	"os"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// An end can lend lentBuffers buffers of the largest payload or of lentAtLeast
// bytes, whichever is more. Room that nobody asks for costs addresses only.
const (
	lentBuffers = 4
	lentAtLeast = 4 << 20
)

// lending is an end whose buffers lie in the lane: sending passes where, and
// nothing is copied. It lends them until it is closed; to a serving thread until
// it stops. A one-way message is sent when the receiver is done with it, since the
// buffer is the sender's again after that.
type lending struct {
	*channel
	lent int // bytes of the outgoing lane that are lent
}

// lendingLayout has room for the buffers of each end and no slots. Every buffer
// has a page in front of it, for its headroom.
func lendingLayout(cfg ipc.Config) layout {
	room := func(limit int) int { return lentBuffers * lentBytes(max(limit, lentAtLeast)) }
	l := newLayout([2]shape{bareShape(cfg.MaxRequest), bareShape(cfg.MaxReply)},
		[2]int{room(cfg.MaxRequest), room(cfg.MaxReply)})
	l.used = 2*l.control + lentBytes(cfg.MaxRequest) + lentBytes(cfg.MaxReply)
	return l
}

func lentBytes(n int) int { return os.Getpagesize() + pages(max(n, 1)) }

// bareShape is entries without payload memory.
func bareShape(limit int) shape { return shape{limit, 0, maxSlots} }

// Buffer implements ipc.Conn.
func (c *lending) Buffer(n int) (*ipc.Buffer, error) {
	if c.ending.Closed() {
		return nil, ipc.ErrClosed
	}
	if n < 0 || n > ipc.MaxPayload {
		return nil, fmt.Errorf("lend a buffer of %d bytes: %w", n, ipc.ErrTooLarge)
	}
	need := lentBytes(n)
	if need > len(c.out.data)-c.lent {
		return nil, fmt.Errorf("lend a buffer of %d bytes: %w: %d of %d bytes are lent",
			n, ipc.ErrNoResources, c.lent, len(c.out.data))
	}
	payload := c.lent + os.Getpagesize()
	populate(c.out.data[c.lent : c.lent+need])
	c.lent += need
	return ipc.LentBuffer(c.out.data[payload-ipc.Headroom : payload+n : payload+n]), nil
}

var errNotLent = errors.New("send a buffer that this end did not lend")

// Send implements ipc.Conn.
func (c *lending) Send(h ipc.Header, b *ipc.Buffer) error {
	slot, err := c.reserve(h)
	if err != nil {
		return err
	}
	var place uint64
	if h.Length > 0 {
		place = sys.Address(b.Bytes()) - sys.Address(c.out.data)
		if place > uint64(len(c.out.data))-uint64(h.Length) {
			return errNotLent
		}
	}
	c.publish(slot, h, place)
	switch {
	case h.Flags&ipc.OneWay != 0:
		return c.cause(c.out.drain())
	case h.Flags&ipc.Stop != 0 && c.serving:
		c.lent = 0
	}
	return nil
}

// Recv implements ipc.Conn.
func (c *lending) Recv() (ipc.Header, []byte, error) {
	m, err := c.next()
	if err != nil {
		return ipc.Header{}, nil, err
	}
	if m.place > uint64(len(c.in.data))-uint64(m.Length) {
		return ipc.Header{}, nil, fmt.Errorf("%w: %d bytes at %d of %d", ipc.ErrProtocol, m.Length, m.place, len(c.in.data))
	}
	c.ledger.Delivered(int(m.Length))
	end := m.place + uint64(m.Length)
	return m.Header, c.in.data[m.place:end:end], nil
}

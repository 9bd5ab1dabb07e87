package shm

import (
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

var siteCopy = copies.NewSite("shm/copy", copies.User)

// copying is an end that copies its payload into the lane, once; the receiver
// reads it there.
type copying struct{ *channel }

func openCopying(c *channel) (ipc.Conn, error) {
	populate(c.segment.mem)
	return copying{c}, nil
}

func (c copying) Send(h ipc.Header, b *ipc.Buffer) error {
	slot, err := c.reserve(h)
	if err != nil {
		return err
	}
	if h.Length > 0 {
		copy(c.out.slot(slot), b.Bytes()[:h.Length])
	}
	c.ledger.Sent(siteCopy, int(h.Length), ipc.HeaderSize)
	c.publish(slot, h, 0)
	return nil
}

func (c copying) Recv() (ipc.Header, []byte, error) {
	m, err := c.next()
	if err != nil {
		return ipc.Header{}, nil, err
	}
	c.ledger.Delivered(int(m.Length))
	return m.Header, c.in.slot(m.slot)[:m.Length:m.Length], nil
}

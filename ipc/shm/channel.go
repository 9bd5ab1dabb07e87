package shm

import (
	"encoding/binary"
	"fmt"
	"os"
	"time"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// channel is what the ends of all transports of this package have in common: a
// lane out, a lane in, and their end.
type channel struct {
	waiting
	out      sender
	in       receiver
	segment  segment
	lifeline *ipc.Lifeline
	wake     func() // makes a waiting operation look at the ending
	buffers  ipc.Buffers
	serving  bool // this end sends replies
}

// openChannel takes up an end of a connection in an attached segment.
func openChannel(seg segment, l layout, cfg ipc.Config, out copies.Direction) *channel {
	c := &channel{segment: seg, serving: out == copies.Reply, waiting: waiting{how: cfg.Wait, ledger: copies.NewLedger(out)},
		buffers: ipc.Buffers{HugePages: cfg.HugePages}}
	outgoing, incoming := l.lanes(seg.mem)
	if out == copies.Reply {
		outgoing, incoming = incoming, outgoing
	}
	c.out, c.in = sender{lane: outgoing}, receiver{lane: incoming}
	binary.LittleEndian.PutUint32(outgoing.control[pidAt:], uint32(os.Getpid()))
	return c
}

// nudgeEvery is how long a sleeper may take to wake before it is woken again.
const nudgeEvery = 50 * time.Microsecond

// useFutexes makes the ends of both lanes wait on their words.
func (c *channel) useFutexes() {
	c.out.published = &futex{c.out.word(publishedAt), &c.waiting}
	released := &futex{c.out.word(releasedAt), &c.waiting}
	c.out.released = released
	published := &futex{c.in.word(publishedAt), &c.waiting}
	c.in.published = published
	c.in.released = &futex{c.in.word(releasedAt), &c.waiting}
	c.wake = func() {
		for c.asleep.Load() {
			published.kick()
			released.kick()
			time.Sleep(nudgeEvery)
		}
	}
}

// watch ends waits when the lifeline breaks.
func (c *channel) watch(end *os.File) {
	c.lifeline = ipc.Watch(end, func() {
		c.ending.PeerGone()
		c.wake()
	})
}

// reserve begins a message: what was received is done with, and the slot is the
// next message's.
func (c *channel) reserve(h ipc.Header) (slot int, err error) {
	if err := c.ending.Err(); err != nil {
		return 0, err
	}
	if int64(h.Length) > int64(c.out.limit) {
		return 0, fmt.Errorf("send %d bytes: %w: at most %d", h.Length, ipc.ErrTooLarge, c.out.limit)
	}
	c.in.letGo()
	if c.out.full() {
		c.in.tell() // the peer may be waiting for that
	}
	slot, err = c.out.reserve()
	return slot, c.cause(err)
}

func (c *channel) publish(slot int, h ipc.Header, place uint64) {
	c.out.publish(slot, h, place, c.in.position)
}

// next waits for a message.
func (c *channel) next() (message, error) {
	if c.ending.Closed() {
		return message{}, ipc.ErrClosed
	}
	c.in.letGo()
	m, err := c.in.next()
	if err == nil {
		err = c.out.receiverDone(m.done)
	}
	return m, c.cause(err)
}

// cause prefers ErrClosed to what an operation saw while the memory went.
func (c *channel) cause(err error) error {
	if c.ending.Closed() {
		return ipc.ErrClosed
	}
	return err
}

// Buffer maps memory of the process's own.
func (c *channel) Buffer(n int) (*ipc.Buffer, error) { return c.buffers.Buffer(n) }

// Ledger implements ipc.Conn.
func (c *channel) Ledger() *copies.Ledger { return c.ledger }

// Close implements ipc.Conn. Memory that an operation or a handler may still be
// looking at is vacated, not unmapped.
func (c *channel) Close() error {
	if !c.ending.Close() {
		return nil
	}
	c.wake()
	c.lifeline.Close()
	c.buffers.FreeAll()
	return c.segment.vacate()
}

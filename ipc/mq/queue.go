package mq

import "errors"

// queue is one direction of a connection: a message queue of the system, whose
// messages carry fragments. A call that would wait where it was told to try
// returns EAGAIN; one whose queue has been removed, EIDRM.
type queue interface {
	// front is how many bytes in front of a fragment a call overwrites.
	front() int
	// send sends frame[front:].
	send(frame []byte, try bool) error
	// receive receives a fragment into frame[front:] and returns its length.
	receive(frame []byte, try bool) (int, error)
	// interrupt makes an operation of this end that waits look at the ending,
	// which has been set: for the queue that it receives from, or sends to.
	interruptReceive()
	interruptSend()
	// unread reports whether close would take from the peer what was sent.
	unread() bool
	// close lets go of the queue; it may be called again.
	close() error
}

// closeQueues closes those of the queues that have been opened.
func closeQueues(queues [2]queue) error {
	var errs []error
	for _, q := range queues {
		if q != nil {
			errs = append(errs, q.close())
		}
	}
	return errors.Join(errs...)
}

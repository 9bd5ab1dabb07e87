package mq

import (
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

// posixQueue is a POSIX message queue without a name, which lives as long as its
// descriptors.
type posixQueue struct {
	fd    int
	until unix.Timespec // a send waits until then
}

// attention is how often a send that waits looks at the ending: only the peer
// can wake it, by making room. Making room here would tear a hole into what the
// peer reads.
const attention = 10 * time.Millisecond

// expired is a time in the past: a send does what it can at once.
var expired unix.Timespec

func (q *posixQueue) front() int { return 0 }

// send finds the time over, at most once in attention, when it has to wait; a
// send that does not wait never looks at the clock.
func (q *posixQueue) send(frame []byte, try bool) error {
	if try {
		return posixError(sys.RawMQSend(q.fd, frame, &expired))
	}
	err := sys.RawMQSend(q.fd, frame, &q.until)
	if err == unix.ETIMEDOUT {
		q.until = unix.NsecToTimespec(time.Now().Add(attention).UnixNano())
	}
	return posixError(err)
}

func (q *posixQueue) receive(frame []byte, try bool) (int, error) {
	n, err := sys.RawMQReceive(q.fd, frame, try)
	return n, posixError(err)
}

func posixError(err error) error {
	if err == unix.ETIMEDOUT {
		return unix.EAGAIN
	}
	return err
}

// interruptReceive sends an empty message; see sysvQueue.
func (q *posixQueue) interruptReceive() { sys.RawMQSend(q.fd, nil, &expired) }

// interruptSend has nothing to do: a send looks by itself.
func (q *posixQueue) interruptSend() {}

// unread is false: the queue stays while the peer has it open.
func (q *posixQueue) unread() bool { return false }

func (q *posixQueue) close() error {
	if q.fd < 0 {
		return nil
	}
	err := unix.Close(q.fd)
	q.fd = -1
	return err
}

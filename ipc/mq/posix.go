package mq

import (
	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

// posixQueue is a POSIX message queue without a name, which lives as long as its
// descriptors.
type posixQueue struct {
	fd   int
	size int // of its messages, at most
}

func (q posixQueue) front() int { return 0 }

func (q posixQueue) send(frame []byte, try bool) error {
	return posixError(sys.RawMQSend(q.fd, frame, try))
}

func (q posixQueue) receive(frame []byte, try bool) (int, error) {
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
func (q posixQueue) interruptReceive() { sys.RawMQSend(q.fd, nil, true) }

// interruptSend makes room, so that a waiting send returns, and the next one
// looks at the ending first.
func (q posixQueue) interruptSend() {
	text := make([]byte, q.size)
	for {
		if _, err := sys.RawMQReceive(q.fd, text, true); err != nil {
			return
		}
	}
}

// close replaces what is in the queue, unless it is kept, by an empty message:
// the rest of what it belongs to will not come.
func (q posixQueue) close(keep bool) error {
	if !keep {
		q.interruptSend()
		sys.RawMQSend(q.fd, nil, true)
	}
	return unix.Close(q.fd)
}

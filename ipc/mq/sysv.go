package mq

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// sysvQueue is a System V message queue. It has no descriptor: whoever survives
// removes it.
type sysvQueue struct{ id int }

func (q sysvQueue) front() int { return sys.MsgType }

func sysvFlags(try bool) int {
	if try {
		return sys.IPCNoWait
	}
	return 0
}

func (q sysvQueue) send(frame []byte, try bool) error {
	return sysvError(sys.RawMsgSend(q.id, frame, sysvFlags(try)))
}

func (q sysvQueue) receive(frame []byte, try bool) (int, error) {
	n, err := sys.RawMsgReceive(q.id, frame, sysvFlags(try))
	return n, sysvError(err)
}

// sysvError gives two answers their common name: an identifier that has been
// removed is EIDRM to who waits and EINVAL to who comes later. A text longer than
// a fragment can be comes from no peer of good will.
func sysvError(err error) error {
	switch err {
	case nil:
		return nil
	case unix.ENOMSG:
		return unix.EAGAIN
	case unix.EINVAL:
		return unix.EIDRM
	case unix.E2BIG:
		return fmt.Errorf("%w: a fragment above the limit", ipc.ErrProtocol)
	}
	return err
}

// interruptReceive sends an empty message. If there is no room for it, nobody
// waits for messages either.
func (q sysvQueue) interruptReceive() {
	var empty [sys.MsgType]byte
	sys.RawMsgSend(q.id, empty[:], sys.IPCNoWait)
}

// interruptSend removes the queue: nobody will read it.
func (q sysvQueue) interruptSend() { q.close() }

func (q sysvQueue) unread() bool {
	_, messages, err := sys.MsgStat(q.id)
	return err == nil && messages > 0
}

// close removes the queue. The peer, who may do so at any time, can have been
// faster.
func (q sysvQueue) close() error {
	err := sys.MsgRemove(q.id)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EIDRM) {
		return nil
	}
	return err
}

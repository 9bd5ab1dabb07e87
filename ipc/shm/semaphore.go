package shm

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// semaphores of a connection: for each lane one that counts messages, and one
// for a sender that waits for room.
const semaphoresPerLane = 2

// semaphore is a signal whose waiter sleeps on a System V semaphore.
//
// A counting one is the synchronisation itself: one semop for each message at each
// end, however they wait, so that its row tells what semaphores cost. The other
// kind is used where there is nothing to count, and only by a waiter that has to
// sleep: it says so in the word, and is owed one increment from then on.
type semaphore struct {
	word     *atomic.Uint32
	id, num  int
	counting bool
	*waiting
}

func (s *semaphore) peek() uint32 { return s.word.Load() &^ sleeping }

func (s *semaphore) raise(position uint32) {
	if s.word.Swap(position)&sleeping != 0 || s.counting {
		s.ledger.Syscalls(1)
		sys.RawSemop(s.id, s.num, 1, 0) // fails only when the set is gone, which the next wait sees
	}
}

func (s *semaphore) wait(seen uint32) (uint32, error) {
	if s.counting {
		err := s.take(ipc.NewLook(s.how))
		return s.after(seen, err)
	}
	for look := ipc.NewLook(s.how); ; {
		over := s.ending.Err()
		if v := s.peek(); v != seen {
			return v, nil
		}
		if over != nil {
			return 0, over
		}
		if !look.Again() && s.word.CompareAndSwap(seen, seen|sleeping) {
			err := s.take(ipc.NewLook(ipc.Block))
			return s.after(seen, err)
		}
	}
}

// after is the position after a wait. What a peer published before it died
// counts, although its semaphores are gone.
func (s *semaphore) after(seen uint32, err error) (uint32, error) {
	v := s.peek()
	switch {
	case v != seen:
		return v, nil
	case err != nil:
		return 0, err
	}
	return 0, errSilent
}

// take decrements the semaphore, waiting until it can.
func (s *semaphore) take(look ipc.Look) error {
	for {
		over := s.ending.Err()
		flags := 0
		if over != nil || look.Again() {
			flags = sys.IPCNoWait
		}
		s.ledger.Syscalls(1)
		switch err := sys.RawSemop(s.id, s.num, -1, flags); {
		case err == nil:
			return nil
		case over != nil:
			return over
		case err == unix.EAGAIN, err == unix.EINTR:
		default: // EIDRM, EINVAL: the set was removed by an end that is over
			if over := s.ending.Err(); over != nil {
				return over
			}
			return ipc.ErrPeerGone
		}
	}
}

// useSemaphores makes the ends of both lanes wait on a set of semaphores; out is
// this end's direction.
func (c *channel) useSemaphores(id, out int) {
	signal := func(l lane, direction, which int) *semaphore {
		at := []int{publishedAt, releasedAt}[which]
		return &semaphore{l.word(at), id, direction*semaphoresPerLane + which, which == 0, &c.waiting}
	}
	c.out.published, c.out.released = signal(c.out.lane, out, 0), signal(c.out.lane, out, 1)
	c.in.published, c.in.released = signal(c.in.lane, 1-out, 0), signal(c.in.lane, 1-out, 1)
	c.wake = func() { sys.SemRemove(id) }
}

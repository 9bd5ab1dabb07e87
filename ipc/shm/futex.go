package shm

import (
	"math"
	"sync/atomic"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// futex is a signal whose waiter sleeps on the word itself.
type futex struct {
	word *atomic.Uint32
	*waiting
}

func (f *futex) peek() uint32 { return f.word.Load() &^ sleeping }

// raise wakes only a waiter that said it sleeps. The exchange takes the bit
// away, so that a waiter is woken once.
func (f *futex) raise(position uint32) {
	if f.word.Swap(position)&sleeping != 0 {
		f.ledger.Syscalls(1)
		sys.FutexWake(f.word, 1)
	}
}

func (f *futex) wait(seen uint32) (uint32, error) {
	for look := ipc.NewLook(f.how); ; {
		over := f.ending.Err() // before the word: what a peer published before it died counts
		if v := f.peek(); v != seen {
			return v, nil
		}
		if over != nil {
			return 0, over
		}
		if !look.Again() {
			f.sleep(seen)
		}
	}
}

// sleep returns when the word may have changed. The ending is looked at between
// saying so and sleeping: either this end sees it, or who ends it sees asleep.
func (f *futex) sleep(seen uint32) {
	asleep := seen | sleeping
	if !f.word.CompareAndSwap(seen, asleep) && f.word.Load() != asleep {
		return
	}
	f.asleep.Store(true)
	if f.ending.Err() == nil {
		f.ledger.Syscalls(1)
		sys.RawFutexWait(f.word, asleep, -1)
	}
	f.asleep.Store(false)
}

// kick makes a sleeper look at the ending, which has been set. It is called from
// another goroutine, until nobody is asleep: a hostile peer may give the bit back
// before the sleeper has got to sleep.
func (f *futex) kick() {
	f.word.And(^uint32(sleeping))
	sys.FutexWake(f.word, math.MaxInt32)
}

// Package event is the smallest way for one process to wait for another: a
// counter in shared memory, advanced by one side, and a futex to sleep on.
//
// Post advances the counter and enters the kernel only if the waiter sleeps.
// The two sides order their accesses so that no wake-up is lost: the waiter
// announces its sleep and then looks at the counter; the poster advances the
// counter and then looks for the announcement. Go's atomics are sequentially
// consistent, so one of them sees the other.
package event

import (
	"sync/atomic"
	"time"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// Size is the shared memory of an Event in bytes: counter and announcement on
// cache lines of their own.
const Size = 128

// looks is how many times a wait looks at the counter between readings of the
// clock.
const looks = 64

// Event is one process's view of an event.
type Event struct {
	count    *atomic.Uint32
	sleeping *atomic.Uint32
}

// At is the event in the first Size bytes of mem, which both processes map and
// which starts out zero. mem is cache-line aligned.
func At(mem []byte) Event {
	return Event{count: sys.Word(mem), sleeping: sys.Word(mem[64:])}
}

// Count is how often the event was posted, modulo 2^32.
func (e Event) Count() uint32 { return e.count.Load() }

// Post advances the counter and wakes the waiter if it sleeps. It returns the
// number of system calls made, 0 or 1.
func (e Event) Post() (syscalls int) {
	e.count.Add(1)
	if e.sleeping.Load() == 0 {
		return 0
	}
	sys.FutexWake(e.count, 1)
	return 1
}

// Wait waits, raw, until the counter differs from seen or stop is set, and
// returns the counter and the number of system calls made.
func (e Event) Wait(seen uint32, how ipc.Wait, stop *atomic.Bool) (count uint32, syscalls int) {
	if how != ipc.Block {
		if count, ok := e.spin(seen, how, stop); ok {
			return count, 0
		}
	}
	return e.sleep(seen, stop)
}

// spin looks until the counter differs, for ipc.AdaptiveSpin at most unless
// how is ipc.Spin.
func (e Event) spin(seen uint32, how ipc.Wait, stop *atomic.Bool) (count uint32, ok bool) {
	var begun time.Time
	for {
		for range looks {
			if count = e.count.Load(); count != seen {
				return count, true
			}
		}
		switch {
		case stop.Load():
			return seen, true
		case how == ipc.Spin:
		case begun.IsZero():
			begun = time.Now()
		case time.Since(begun) > ipc.AdaptiveSpin:
			return seen, false
		}
	}
}

func (e Event) sleep(seen uint32, stop *atomic.Bool) (count uint32, syscalls int) {
	e.sleeping.Store(1)
	for {
		if count = e.count.Load(); count != seen || stop.Load() {
			e.sleeping.Store(0)
			return count, syscalls
		}
		sys.RawFutexWait(e.count, seen, -1)
		syscalls++
	}
}

// Interrupt makes a waiter whose stop is set look at it. The counter stays as
// it is, so the waiter's futex is woken until it has left.
func (e Event) Interrupt() {
	for e.sleeping.Load() != 0 {
		sys.FutexWake(e.count, 1)
		time.Sleep(time.Millisecond)
	}
}

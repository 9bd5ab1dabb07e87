package wire

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

// Bell is how one side of a page gets the attention of the other: a word that
// holds a number, which only the ringing side changes, and two marks: that the
// listening side sleeps, and that somebody wants it to look up although the
// number is the same.
//
// No method loops over what the other side may change, so that one which keeps
// changing it holds nobody up.
type Bell struct{ word *atomic.Uint32 }

const (
	asleep     = 1 << 0
	kicked     = 1 << 1
	numberBits = 2
)

// Number is the number that was rung last.
func (b Bell) Number() uint32 { return b.word.Load() >> numberBits }

// Next is the number after n.
func Next(n uint32) uint32 { return (n + 1) & (1<<(32-numberBits) - 1) }

// Ring changes the number and wakes the listener if it sleeps. It returns the
// number of system calls made: one if the listener has called to sleep since the
// number was changed last, so that the listener knows it, too.
func (b Bell) Ring(number uint32) (calls int) {
	if b.word.Swap(number<<numberBits)&asleep == 0 {
		return 0
	}
	sys.FutexWake(b.word, 1)
	return 1
}

// Kick has the listener look up. One that does not, because the other side of
// the page interferes, is to be kicked again.
func (b Bell) Kick() {
	b.word.Or(kicked)
	sys.FutexWake(b.word, 1)
}

// Wait sleeps until the bell has another number than the one that the listener
// has seen, is kicked, or, unless limit is below zero, for that long; it may return
// early. A raw wait does not tell the Go scheduler. It returns the number of system
// calls made, and whether a signal ended the wait: only one with a limit, for the
// kernel takes one without up again by itself.
func (b Bell) Wait(seen uint32, raw bool, limit time.Duration) (calls int, interrupted bool) {
	v := b.word.Load()
	if v>>numberBits != seen {
		return 0, false
	}
	if v&kicked != 0 {
		b.word.And(^uint32(kicked))
		return 0, false
	}
	if v&asleep == 0 && !b.word.CompareAndSwap(v, v|asleep) {
		return 0, false
	}
	if raw {
		return 1, sys.RawFutexWait(b.word, v|asleep, limit) == unix.EINTR
	}
	return 1, sys.FutexWait(b.word, v|asleep, limit) == unix.EINTR
}

package transport

import (
	"sync/atomic"

	"ipcbench/internal/sys"
)

// backlog counts the one-way calls of a client that were handled. Binder orders
// these among themselves, and not against two-way calls: a client that is to know
// that all were handled has to ask, and is answered when they were.
type backlog struct {
	handled atomic.Uint32
	awaited atomic.Uint32 // the count that somebody sleeps for
	asleep  atomic.Bool
}

// done counts a call that was handled, and wakes who waits for just that one. It
// returns the number of system calls made.
func (b *backlog) done() (syscalls int) {
	if n := b.handled.Add(1); b.asleep.Load() && n == b.awaited.Load() {
		sys.FutexWake(&b.handled, 1)
		return 1
	}
	return 0
}

// reached says whether as many were handled as a code says that were sent.
func (b *backlog) reached(sent uint32) bool {
	return (b.handled.Load()-sent)&(1<<countBits-1) < maxBacklog
}

// await sleeps until they were, or stop is set, and returns the number of system
// calls made.
func (b *backlog) await(sent uint32, wait func(*atomic.Uint32, uint32) error, stop *atomic.Bool) (syscalls int) {
	seen := b.handled.Load()
	b.awaited.Store(seen + (sent-seen)&(1<<countBits-1))
	b.asleep.Store(true)
	defer b.asleep.Store(false)
	for seen = b.handled.Load(); !b.reached(sent) && !stop.Load(); seen = b.handled.Load() {
		_ = wait(&b.handled, seen)
		syscalls++
	}
	return syscalls
}

// interrupt makes who waits look at its stop again and again until it does.
func (b *backlog) interrupt() {
	for b.asleep.Load() {
		sys.FutexWake(&b.handled, 1)
	}
}

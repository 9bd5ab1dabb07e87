// Package pacing decides when an operation starts: at once (closed loop), after
// a pause (idle gaps), or at fixed times whatever the system does (open loop).
//
// In an open loop the latency counts from the intended start, so that a stall
// is charged to every operation that it delayed. The loop is spin-paced: a
// sleep would be late by more than the operation takes.
package pacing

import (
	"time"

	"ipcbench/internal/sys"
)

// Clock reads a monotonic clock in nanoseconds.
type Clock struct{ base time.Time }

// NewClock starts at zero.
func NewClock() Clock { return Clock{time.Now()} }

// Now is the nanoseconds since NewClock.
func (c Clock) Now() int64 { return int64(time.Since(c.base)) }

// Pacer yields the starts of one client's operations.
type Pacer struct {
	clock  Clock
	period int64 // of an open loop
	gap    time.Duration
	next   int64
	// Missed operations of an open loop: they began more than one period
	// after their intended start.
	Missed uint64
	// Dropped operations were due, and given up before they began.
	Dropped uint64

	behind int64 // of the last operation, after its intended start
}

// New makes a pacer: rate is in operations a second, for an open loop; gap is
// the pause before each operation; both zero is a closed loop.
func New(clock Clock, rate float64, gap time.Duration) *Pacer {
	p := &Pacer{clock: clock, gap: gap}
	if rate > 0 {
		p.period = max(1, int64(float64(time.Second)/rate))
		p.next = clock.Now()
	}
	return p
}

// Start waits until the next operation is due and returns the time, on the
// clock, that its latency counts from.
func (p *Pacer) Start() int64 {
	if p.period > 0 {
		return p.due()
	}
	if p.gap > 0 {
		sys.RawSleep(p.gap)
	}
	return p.clock.Now()
}

func (p *Pacer) due() int64 {
	intended := p.next
	p.next += p.period
	now := p.clock.Now()
	if now > intended+p.period {
		p.Missed++
	}
	p.behind = now - intended
	for now < intended {
		now = p.clock.Now()
	}
	return intended
}

// GiveUp reports whether the operation that Start was called for began more than
// patience nanoseconds late, and is not worth beginning: nobody knows how long it
// takes to catch up. It then drops it, with those that are due after it and before
// until.
func (p *Pacer) GiveUp(patience, until int64) bool {
	if p.period == 0 || p.behind <= patience {
		return false
	}
	p.Missed--
	p.Dropped += uint64((until - p.next + 2*p.period - 1) / p.period)
	return true
}

package ipc

import "time"

// Look is the phase of one wait in which it looks before it sleeps.
type Look struct {
	wait  Wait
	looks uint32
	until time.Time
}

// NewLook begins a wait.
func NewLook(w Wait) Look { return Look{wait: w} }

// looksPerClock is how often an adaptive wait looks for one reading of the clock,
// which costs more than a look.
const looksPerClock = 16

// Again reports whether to look once more: never for Block, always for Spin, and
// for AdaptiveSpin otherwise.
func (l *Look) Again() bool {
	if l.wait != Adaptive {
		return l.wait == Spin
	}
	l.looks++
	if l.looks%looksPerClock != 0 {
		return true
	}
	now := time.Now()
	if l.looks == looksPerClock {
		l.until = now.Add(AdaptiveSpin)
	}
	return now.Before(l.until)
}

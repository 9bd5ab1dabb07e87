package wire

import (
	"sync/atomic"
	"time"
)

// Visitors are those who come to a thread's page from outside the thread, so that
// it is not unmapped under them.
type Visitors struct {
	inside atomic.Int32
	closed atomic.Bool
}

// Enter says whether the visitor may go to the page; Leave must follow if so.
func (v *Visitors) Enter() bool {
	v.inside.Add(1)
	if v.closed.Load() {
		v.inside.Add(-1)
		return false
	}
	return true
}

// Leave ends a visit.
func (v *Visitors) Leave() { v.inside.Add(-1) }

// Close lets nobody in any more, and returns when all have left.
func (v *Visitors) Close() {
	v.closed.Store(true)
	for v.inside.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
}

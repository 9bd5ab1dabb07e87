package ipc

import (
	"sync/atomic"
	"time"
)

// Gate is where the operations of an end, which belong to one goroutine, meet a
// Close from another: descriptors and memory may be let go only when the
// operation that uses them has left. The zero Gate is open.
type Gate struct{ state atomic.Uint32 }

const (
	gateInside uint32 = 1 << iota
	gateShut
)

// Enter begins an operation; it returns ErrClosed when the gate is shut.
func (g *Gate) Enter() error {
	if !g.state.CompareAndSwap(0, gateInside) {
		return ErrClosed
	}
	return nil
}

// Leave ends the operation.
func (g *Gate) Leave() { g.state.And(^gateInside) }

// IsShut is what an operation asks after every wait.
func (g *Gate) IsShut() bool { return g.state.Load()&gateShut != 0 }

// nudgeEvery is how long Shut waits for an operation to leave before it wakes it
// again: some wakes, such as draining a pipe that is written to, do not last.
const nudgeEvery = 50 * time.Microsecond

// Shut shuts the gate and returns when nobody is inside, calling wake as often
// as it takes to make a waiting operation look at IsShut. It reports whether
// this call was the one that shut it; the others return at once.
func (g *Gate) Shut(wake func()) bool {
	before := g.state.Or(gateShut)
	if before&gateShut != 0 {
		return false
	}
	for g.state.Load()&gateInside != 0 {
		wake()
		time.Sleep(nudgeEvery)
	}
	return true
}

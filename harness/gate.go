package harness

import (
	"sync/atomic"
	"time"

	"ipcbench/internal/sys"
)

// gateNap is how long a thread sleeps between looks at its gate.
const gateNap = 50 * time.Microsecond

// gate holds threads back by naps alone: of the calls that are counted from
// outside, nanosleep is the one that no transport makes, and it leaves the CPU
// to whoever opens the gate.
type gate struct {
	opened atomic.Bool
	// safe naps leave the Go processor to others as well, of which a
	// runtime-safe worker has none to spare.
	safe bool
}

func (g *gate) open() { g.opened.Store(true) }

func (g *gate) pass() {
	for !g.opened.Load() {
		if g.safe {
			time.Sleep(gateNap)
		} else {
			sys.RawSleep(gateNap)
		}
	}
}

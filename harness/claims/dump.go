package claims

import (
	"bufio"
	"fmt"
	"strings"
)

// dump is a driver's view "state", as far as claims read it.
type dump []dumpedProc

// dumpedProc is a binder_proc in a dump.
type dumpedProc struct {
	PID     int32
	Threads []dumpedThread
	// Pending is how many transactions wait in the process's own queue.
	Pending int
}

// dumpedThread is a binder_thread in a dump.
type dumpedThread struct {
	TID    int32
	Looper uint32
}

// Looper bits: those that make a thread one of the pool, which has registered or
// entered, and the one of a thread that waits.
const (
	poolBits = 1 | 2
	waitBit  = 0x10
)

// pool reports a thread of the pool.
func (t dumpedThread) pool() bool { return t.Looper&poolBits != 0 }

// waits reports a thread that waits for work.
func (t dumpedThread) waits() bool { return t.Looper&waitBit != 0 }

// parseDump reads a view in the form of the kernel's binder/state.
func parseDump(text string) (d dump) {
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		var pid, tid int32
		var looper uint32
		if _, err := fmt.Sscanf(line, "proc %d", &pid); err == nil {
			d = append(d, dumpedProc{PID: pid})
			continue
		}
		if len(d) == 0 {
			continue
		}
		p := &d[len(d)-1]
		if _, err := fmt.Sscanf(line, "  thread %d: l %x", &tid, &looper); err == nil {
			p.Threads = append(p.Threads, dumpedThread{tid, looper})
		}
		if strings.HasPrefix(line, "  pending transaction ") {
			p.Pending++
		}
	}
	return d
}

// of are the binder_procs of a process.
func (d dump) of(pid int) (procs []dumpedProc) {
	for _, p := range d {
		if int(p.PID) == pid {
			procs = append(procs, p)
		}
	}
	return procs
}

package harness

import (
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/harness/workload"
	"ipcbench/ipc/copies"
)

// Injection is what a self-test adds to every timed operation, to see it found.
// It is really done, inside the clock, and counted where it is done.
type Injection struct {
	// Delay is spun after the reply.
	Delay time.Duration `json:"delay,omitempty"`
	// Copies of the request, before it is sent.
	Copies int `json:"copies,omitempty"`
	// Syscalls that do nothing, before the request.
	Syscalls int `json:"syscalls,omitempty"`
}

var injectedCopy = copies.NewSite("selftest/copy", copies.User)

func (o *operator) slowDown() {
	for until := o.clock.Now() + int64(o.Delay); o.clock.Now() < until; {
	}
}

func (o *operator) addSyscalls() {
	if o.Mode != timedMode {
		return
	}
	for range o.Syscalls {
		unix.Getppid()
	}
	o.client.Ledger().Syscalls(o.Syscalls)
}

// produceAside produces the request in memory of its own, from which the
// injected copies take it to where it is sent from.
func (o *operator) produceAside() {
	if o.spare == nil {
		o.spare = make([]byte, o.Request)
	}
	workload.Produce(o.spare, o.stamp)
	for range o.Copies {
		copy(o.request.Bytes(), o.spare)
		o.client.Ledger().Sent(injectedCopy, len(o.spare), 0)
	}
}

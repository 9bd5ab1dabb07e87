package evidence

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ipcbench/ipc/copies"
)

// CrossCheck compares what the kernel saw with what the ledgers of both sides
// say of the same operations: the bytes of each call that moves payload, and
// the number of system calls altogether. Both must be the same to the last one.
//
// Left out, and shown apart, are the calls that the Go runtime makes for itself
// and those on control descriptors. Where whole processes were followed, that
// is also true of calls that found nothing to move: the runtime's poller tries
// before it waits, out of the ledger's sight.
//
// Counted has "syscalls" and "syscalls_per_op", "CALL_bytes" for each call that
// moves payload, "transport_CALL" for how often each was called, and
// "runtime_CALL" and "control_CALL" for the calls left out; Ledger has what of
// these it knows.
func CrossCheck(a *Account, ledger copies.Report, operations uint64) Finding {
	c := crossCheck{
		finding: Finding{Status: Agrees, Counted: map[string]float64{}, Ledger: map[string]float64{}},
		ledger:  kernelBytes(ledger),
	}
	c.bytes(a)
	c.syscalls(a, ledger.Syscalls, operations)
	c.makers(a)
	if len(c.differences) > 0 {
		c.finding.Status = Disagrees
	}
	c.finding.Detail = strings.Join(slices.Concat(c.differences, c.remarks), "; ")
	return c.finding
}

type crossCheck struct {
	finding              Finding
	ledger               map[string]uint64
	differences, remarks []string
}

// kernelBytes sums the ledger's kernel sites by system call.
func kernelBytes(r copies.Report) map[string]uint64 {
	sums := make(map[string]uint64)
	for _, s := range r.Sites {
		if s.Kernel {
			sums[callOf(s)] += s.Payload + s.Header
		}
	}
	return sums
}

// callOf is the system call in the name of a kernel site, "transport/call".
func callOf(s copies.SiteReport) string { return s.Name[strings.LastIndexByte(s.Name, '/')+1:] }

func (c *crossCheck) compare(what string, counted, ledger uint64) {
	c.finding.Counted[what] = float64(counted)
	c.finding.Ledger[what] = float64(ledger)
	if counted != ledger {
		c.differences = append(c.differences,
			fmt.Sprintf("%s: the kernel counted %d, the ledger %d", what, counted, ledger))
	}
}

func (c *crossCheck) bytes(a *Account) {
	counted := make(map[string]uint64)
	for e, s := range a.Entries {
		if e.Maker == Transport && s.Bytes > 0 {
			counted[e.Call] += s.Bytes
		}
	}
	for name := range c.ledger {
		if call, known := byName(name); known && call.amount == unsaid {
			c.remarks = append(c.remarks, "the tracepoint of "+name+" does not say how many bytes it moved: ledger only")
			continue
		}
		counted[name] += 0
	}
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		c.compare(name+"_bytes", counted[name], c.ledger[name])
	}
}

func (c *crossCheck) syscalls(a *Account, ledger, operations uint64) {
	total := a.sum(func(e Entry) bool { return e.Maker == Transport })
	calls := total.Calls
	if a.WholeProcess {
		calls -= total.WouldBlock
		c.finding.Counted["would_block"] = float64(total.WouldBlock)
	}
	c.compare("syscalls", calls, ledger)
	if operations > 0 {
		c.finding.Counted["syscalls_per_op"] = float64(calls) / float64(operations)
	}
	if total.Restarted > 0 {
		c.finding.Counted["restarted"] = float64(total.Restarted)
	}
}

// makers shows who called what.
func (c *crossCheck) makers(a *Account) {
	for e, s := range a.Entries {
		c.finding.Counted[e.Maker.String()+"_"+e.Call] += float64(s.Calls)
	}
}

package claims

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"ipcbench/harness"
	"ipcbench/harness/evidence"
	"ipcbench/ipc/copies"
)

// rivals are the traditional mechanisms that the documents speak of: pipe,
// socket, message queues.
var rivals = []string{"pipe", "unix-stream", "sysv-msg", "posix-mq"}

// copySizes go from nothing to the most that a Binder region holds, in bytes.
var copySizes = []int{0, 64, 1 << 10, 4 << 10, 64 << 10, 1 << 20, 4 << 20}

// counted is what was counted of a transport's operations at one payload size,
// which requests and replies share.
type counted struct {
	Bytes int `json:"payload_bytes"`
	// Request and Reply are copies per direction by the ledger; 0 where there
	// is no payload.
	Request float64 `json:"copies_request"`
	Reply   float64 `json:"copies_reply"`
	// Header is bytes that were moved beside the payload, an operation.
	Header float64 `json:"header_bytes_per_op"`
	// Syscalls, by the ledger, and Switches, by the kernel, an operation.
	Syscalls float64 `json:"syscalls_per_op"`
	Switches float64 `json:"context_switches_per_op"`
	// Sources are what checked the ledger, with the status that each reports.
	Sources map[string]evidence.Finding `json:"sources"`
}

// copyCounts are a transport's, by ascending size.
type copyCounts struct {
	Sizes []counted `json:"sizes"`
}

// copyRun is what one run counted of each transport, and why others are not in
// it.
type copyRun struct {
	counts  map[string]copyCounts
	skipped map[string]string
}

// copyCounts are those of a transport, from the one run over all transports and
// sizes whose ledgers are checked by every source there is.
func (b *Bench) copyCounts(ctx context.Context, transport string) (copyCounts, error) {
	run, err := b.copied.do(func() (*copyRun, error) { return b.countCopies(ctx) })
	if err != nil {
		return copyCounts{}, err
	}
	counts, have := run.counts[transport]
	if !have {
		return copyCounts{}, absent(run.skipped[transport])
	}
	return counts, nil
}

func (b *Bench) countCopies(ctx context.Context) (*copyRun, error) {
	plan := harness.DefaultPlan()
	plan.Sizes, plan.Generations, plan.Rounds, plan.RoundTime = copySizes, 1, 1, 50*time.Millisecond
	m, err := b.run(ctx, plan, slices.Concat(rivals, b.subjectNames()), nil)
	if err != nil {
		return nil, err
	}
	run := &copyRun{counts: map[string]copyCounts{}, skipped: reasons(m.Skipped)}
	for i := range m.Cells {
		c := &m.Cells[i]
		counts := run.counts[c.Transport]
		counts.Sizes = append(counts.Sizes, countsOf(c))
		run.counts[c.Transport] = counts
	}
	return run, nil
}

func countsOf(c *harness.CellRecord) counted {
	var ledger copies.Report
	var operations uint64
	var switches int64
	for _, rounds := range c.Generations {
		for _, r := range rounds {
			ledger.Add(r.Ledger)
			operations += r.CostOperations
			switches += r.Usage.VoluntarySwitches + r.Usage.InvoluntarySwitches
		}
	}
	n := counted{Bytes: c.RequestBytes, Sources: maps.Clone(c.Evidence)}
	n.Request, _ = ledger.PerDirection(copies.Request)
	n.Reply, _ = ledger.PerDirection(copies.Reply)
	if operations > 0 {
		n.Header = float64(ledger.OperationHeader()) / float64(operations)
		n.Syscalls = float64(ledger.OperationSyscalls()) / float64(operations)
		n.Switches = float64(switches) / float64(operations)
	}
	return n
}

// absent is why a subject is not here; it is errors.ErrUnsupported.
type absent string

func (a absent) Error() string        { return string(a) }
func (a absent) Is(target error) bool { return target == errors.ErrUnsupported }

// reasons are why transports were left out, by transport.
func reasons(skips []harness.Skip) map[string]string {
	by := map[string]string{}
	for _, s := range skips {
		if by[s.Transport] == "" {
			by[s.Transport] = s.Reason
		}
	}
	return by
}

// run measures transports under a plan; those that this machine lacks are
// skipped, and if that is all of them the error is errors.ErrUnsupported. prepare
// may be nil.
func (b *Bench) run(ctx context.Context, plan harness.Plan, transports []string, prepare func(*harness.Run)) (*harness.Measured, error) {
	only, err := b.Transports.Only(transports...)
	if err != nil {
		return nil, err
	}
	r, err := harness.Prepare(only, plan, []string{"*"})
	switch {
	case errors.Is(err, harness.ErrNoCells):
		return nil, absent(err.Error())
	case err != nil:
		return nil, err
	}
	if prepare != nil {
		prepare(r)
	}
	return r.Measure(ctx, b.tell)
}

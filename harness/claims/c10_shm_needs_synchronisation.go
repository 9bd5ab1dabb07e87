package claims

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ipcbench/harness"
)

var shmNeedsSynchronisation = Drawing(DefineFor(Meta{
	ID:         "C10",
	Statement:  "Shared memory needs another mechanism for synchronisation.",
	Source:     "D2 part 1",
	Refutation: "A shared memory whose receiver learns of a message without calling into the kernel and without burning a CPU while it waits.",
	Experiment: "A System V segment with a futex, with semaphores, with a pipe as a doorbell, and with pure spinning. Messages " +
		"carry nothing, so that what an operation takes is the synchronisation (for the doorbell: that of the pipe alone); then the " +
		"same with pauses between calls: how busy the processes keep the CPUs while nothing is sent.",
}, synchronisationNames(), measureSynchronisation, judgeSynchronisation), drawSynchronisation)

// synchronised is a column: a transport, and how it waits.
type synchronised struct{ name, transport, wait string }

var synchronisations = []synchronised{
	{"shm", "shm", "block"},
	{"shm-sem", "shm-sem", "block"},
	{"pipe-doorbell", "pipe", "block"},
	{"shm-spin", "shm", "spin"},
}

func synchronisationNames() (names []string) {
	for _, s := range synchronisations {
		names = append(names, s.name)
	}
	return names
}

// synchronisation is what waking each other costs.
type synchronisation struct {
	Syscalls float64 `json:"syscalls_per_op"`
	// Calls that the kernel's tracepoints saw, by name; empty where they may
	// not be used.
	Calls     []string `json:"calls,omitempty"`
	LatencyNS float64  `json:"p50_ns"`
	CPUNS     float64  `json:"cpu_ns_per_op"`
	// IdleBusy is how many CPUs both processes keep busy while a message goes
	// every idleGap.
	IdleBusy float64 `json:"busy_cpus_when_idle"`
	// IdleSleeps is how often both processes then give the CPU up to wait, an
	// operation, beside the client's pause. Other load takes CPU from who
	// spins, but does not make it sleep.
	IdleSleeps float64 `json:"sleeps_per_op_when_idle"`
	// IdleMessages are those of a round.
	IdleMessages float64 `json:"messages_per_round_when_idle"`
}

// idleGap is long against every wake-up.
const idleGap = time.Millisecond

func measureSynchronisation(ctx context.Context, b *Bench, column string) (synchronisation, error) {
	i := slices.IndexFunc(synchronisations, func(s synchronised) bool { return s.name == column })
	s := synchronisations[i]
	plan := harness.DefaultPlan()
	plan.Sizes, plan.Waits, plan.Rounds = []int{0}, []string{s.wait}, 2
	plan.RoundTime = 10 * time.Millisecond
	closed, err := b.only(ctx, plan, s.transport, (*harness.Run).NoFloors)
	if err != nil {
		return synchronisation{}, err
	}
	plan.Gap, plan.RoundTime, plan.Generations = idleGap, 250*time.Millisecond, 2
	idle, err := b.only(ctx, plan, s.transport, (*harness.Run).TimesOnly)
	if err != nil {
		return synchronisation{}, err
	}
	n := synchronisation{Syscalls: callsOf(closed).Syscalls, LatencyNS: typical(closed.Generations),
		CPUNS: mean(closed, cpuPerOp), IdleBusy: mean(idle, cpuPerOp) / mean(idle, timePerOp), IdleSleeps: mean(idle, sleepsPerOp) - 1,
		IdleMessages: mean(idle, operations)}
	for what := range closed.Evidence["accounting"].Counted {
		if name, is := strings.CutPrefix(what, "transport_"); is {
			n.Calls = append(n.Calls, name)
		}
	}
	slices.Sort(n.Calls)
	return n, nil
}

// only measures one transport in one cell.
func (b *Bench) only(ctx context.Context, plan harness.Plan, transport string, prepare func(*harness.Run)) (*harness.CellRecord, error) {
	m, err := b.run(ctx, plan, []string{transport}, prepare)
	if err != nil {
		return nil, err
	}
	if len(m.Cells) == 0 {
		return nil, absent(reasons(m.Skipped)[transport])
	}
	return &m.Cells[0], nil
}

func operations(r harness.Round) float64 { return float64(r.CostOperations) }

func sleepsPerOp(r harness.Round) float64 {
	return float64(r.Usage.VoluntarySwitches) / float64(max(r.CostOperations, 1))
}

// mean over all rounds.
func mean(c *harness.CellRecord, of func(harness.Round) float64) float64 {
	sum, n := 0.0, 0
	for _, rounds := range c.Generations {
		for _, r := range rounds {
			sum += of(r)
			n++
		}
	}
	return sum / float64(max(n, 1))
}

const (
	// callsForSure is how many system calls an operation show that the kernel
	// is needed; a futex is left out where both ends happen to be awake.
	callsForSure = 1
	hardlyCalls  = 0.1
	// busyForSure is the CPUs kept busy while idle that show spinning.
	busyForSure = 0.5
	// sleepsForSure and hardlySleeps tell who waits asleep from who never does:
	// the server of a message sleeps once.
	sleepsForSure = 0.5
	hardlySleeps  = 0.2
	// enoughMessages of a round tell sleeping for a message from sleeping before
	// and after a round, which both ends do some times.
	enoughMessages = 50
)

// judgeSynchronisation: supported by calls into the kernel, or by never giving up
// the CPU; refuted by an end that sleeps and is woken without a call.
func judgeSynchronisation(n synchronisation) Judgement {
	how := "no calls"
	if len(n.Calls) > 0 {
		how = strings.Join(n.Calls, ", ")
	}
	j := Judgement{Confidence: "ledger", Text: fmt.Sprintf("%.1f system calls an operation (%s), %s and %s of CPU; "+
		"with a message every %v its processes keep %.2f CPUs busy and sleep %.1f times a message", n.Syscalls, how,
		microseconds(n.LatencyNS), microseconds(n.CPUNS), idleGap, n.IdleBusy, n.IdleSleeps)}
	if len(n.Calls) > 0 {
		j.Confidence = "ledger, tracepoints"
	}
	switch {
	case n.Syscalls >= callsForSure || n.IdleBusy >= busyForSure:
		j.Verdict = Supported
	case n.Syscalls <= hardlyCalls && n.IdleSleeps <= hardlySleeps:
		j.Verdict = Supported
	case n.Syscalls <= hardlyCalls && n.IdleSleeps >= sleepsForSure && n.IdleMessages >= enoughMessages:
		j.Verdict = Refuted
	default:
		j.Verdict = Inconclusive
	}
	return j
}

func drawSynchronisation(columns []string, numbers []synchronisation) []Figure {
	latency := Figure{Title: "Waking each other, without payload", YLabel: "time an operation", YUnit: Nanoseconds, Categories: columns}
	busy := Figure{Title: "CPUs kept busy while idle", YLabel: "CPUs", Categories: columns}
	p50, cpu, idle := Series{Name: "latency"}, Series{Name: "CPU"}, Series{Name: "busy CPUs"}
	for i, n := range numbers {
		at := float64(i)
		p50.Points = append(p50.Points, [2]float64{at, n.LatencyNS})
		cpu.Points = append(cpu.Points, [2]float64{at, n.CPUNS})
		idle.Points = append(idle.Points, [2]float64{at, n.IdleBusy})
	}
	latency.Series, busy.Series = []Series{p50, cpu}, []Series{idle}
	return []Figure{latency, busy}
}

package results

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ipcbench/harness"
	"ipcbench/harness/env"
	"ipcbench/ipc/copies"
)

const (
	// wideInterval is the distance of an interval's ends from its middle
	// from which a row is called too noisy to be ordered against its
	// neighbours.
	wideInterval = 0.15
	// manyMissed is the share of missed operations from which an open loop
	// was asked for more than it could give.
	manyMissed = 0.01
)

// Build makes the result of what a run measured on a machine.
func Build(e env.Environment, m *harness.Measured) *Result {
	r := &Result{
		Schema: Schema, Environment: e, Plan: m.Plan,
		Floors: []Floor{}, Cells: []Cell{}, Skipped: append([]harness.Skip{}, m.Skipped...),
		Warnings: m.Warnings, Incomplete: m.Incomplete,
	}
	for i := range m.Floors {
		f := buildFloor(&m.Floors[i])
		if smallPages(m.Plan, m.Floors[i].Generations) {
			f.Warnings = append(f.Warnings, onSmallPages)
		}
		r.Floors = append(r.Floors, f)
	}
	r.Warnings = append(r.Warnings, stateChanges(r.Floors)...)
	for i := range m.Cells {
		c := buildCell(&m.Cells[i])
		c.FloorRatio = floorRatio(&c, r.Floors)
		if c.SmallPages = smallPages(m.Plan, m.Cells[i].Generations); c.SmallPages {
			c.Warnings = append(c.Warnings, onSmallPages)
		}
		r.Cells = append(r.Cells, c)
	}
	return r
}

func buildCell(m *harness.CellRecord) Cell {
	t := sum(m.Generations)
	c := Cell{
		Key: m.Key, Variant: m.Variant,
		Rounds: t.rounds, Operations: t.operations, VerifiedOperations: m.Verified,
		Errors: m.Errors, Notes: m.Notes,
		Latency:    latencyOf(m.Latency),
		RoundP50NS: roundP50(m.Generations),
		PerRound:   perRound(m.Generations),
		Evidence:   m.Evidence,
	}
	c.Latency.P50CI = Interval(c.RoundP50NS)
	c.SetCopies(t.ledger, t.costed)
	c.OperationsPerSecond = ratio(float64(t.operations), t.elapsed.Seconds())
	c.PayloadBytesPerSecond = c.OperationsPerSecond * t.perCosted(float64(t.ledger.Delivered[copies.Request]+t.ledger.Delivered[copies.Reply]))
	c.ContextSwitchesPerOp = t.perCosted(float64(t.usage.VoluntarySwitches + t.usage.InvoluntarySwitches))
	c.PageFaultsPerOp = t.perCosted(float64(t.usage.MinorFaults + t.usage.MajorFaults))
	c.CPUNSPerOp = t.perCosted(float64(t.usage.CPU))
	c.MissedPerOp = ratio(float64(t.missed+t.dropped), float64(t.operations+t.dropped))

	var err error
	if c.Histogram, err = encode(m.Latency); err != nil {
		c.Warnings = append(c.Warnings, "the histogram could not be stored: "+err.Error())
	}
	c.Warnings = append(c.Warnings, doubts(c.Latency, c.RoundP50NS, t.operations)...)
	if c.VerifiedOperations == 0 {
		c.Warnings = append(c.Warnings, "no operation was verified byte by byte")
	}
	if c.MissedPerOp >= manyMissed {
		c.Warnings = append(c.Warnings, fmt.Sprintf(
			"%.1f %% of the operations began more than a period late, or never: the rate is above what was sustained", 100*c.MissedPerOp))
	}
	return c
}

func buildFloor(m *harness.FloorRecord) Floor {
	t := sum(m.Generations)
	f := Floor{
		Kind: m.Kind, RequestBytes: m.RequestBytes, ReplyBytes: m.ReplyBytes,
		Wait: m.Wait, Placement: m.Placement,
		Latency:    latencyOf(m.Latency),
		RoundP50NS: roundP50(m.Generations),
		Operations: t.operations,
		CPUNSPerOp: t.perCosted(float64(t.usage.CPU)),
	}
	f.Latency.P50CI = Interval(f.RoundP50NS)
	f.Warnings = doubts(f.Latency, f.RoundP50NS, t.operations)
	return f
}

const onSmallPages = "payload was produced on small pages: the kernel had no huge ones, or does not say, or the transport lends memory of its own"

// smallPages says whether the huge pages that a plan asked for were not to be had.
func smallPages(p harness.Plan, generations [][]harness.Round) bool {
	for _, rounds := range generations {
		for i := range rounds {
			if p.HugePages && !rounds[i].HugePages {
				return true
			}
		}
	}
	return false
}

// stateFactor is how far apart the cache-line ping-pong of two generations is
// where the hypervisor has moved the CPUs in between: fourfold on the machine of
// the reference run, in which it otherwise varies by a tenth.
const stateFactor = 2

// stateChanges says whether the machine changed under the run, as the cache-line
// floors show it: how long a line takes from one CPU to the other.
func stateChanges(floors []Floor) (warnings []string) {
	for _, f := range floors {
		medians := GenerationMedians(f.RoundP50NS)
		if f.Kind != "cacheline" || len(medians) == 0 {
			continue
		}
		if low, high := slices.Min(medians), slices.Max(medians); high >= stateFactor*low {
			warnings = append(warnings, fmt.Sprintf(
				"the machine changed its state during the run: a cache line went to the other CPU and back in %.0f to %.0f ns; blocking rows of different generations differ with it",
				low, high))
		}
	}
	return warnings
}

// doubts are the reasons not to trust a row's latency, in words.
func doubts(l Latency, generations [][]float64, operations uint64) []string {
	var w []string
	if operations == 0 {
		return []string{"nothing was measured"}
	}
	if s := unsupported(int64(operations)); s != "" {
		w = append(w, s)
	}
	if n := len(GenerationMedians(generations)); n < minGenerations {
		return append(w, fmt.Sprintf("no confidence interval, which takes %d generations: there are %d", minGenerations, n))
	}
	if l.P50CI == nil || l.P50 == nil {
		return w
	}
	if halfWidth(l) > wideInterval {
		w = append(w, "noisy: generations differ so much that the row may not be ordered against its neighbours")
	}
	if *l.P50 < l.P50CI[0] || *l.P50 > l.P50CI[1] {
		w = append(w, "p50 of all operations lies outside the interval for a typical generation: generations differ in kind")
	}
	return w
}

// halfWidth is the distance of the farther end of the interval from its middle
// (on the logarithmic scale), as a share of the middle.
func halfWidth(l Latency) float64 {
	middle := math.Sqrt(l.P50CI[0]) * math.Sqrt(l.P50CI[1])
	return max(0, l.P50CI[1]/middle-1) // rounding may take it below
}

// floorRatio is p50 over that of the composite floor for the same work and
// conditions; 0 where there is none. The floor is one client's round trip, so
// only round trips of one client have a ratio.
func floorRatio(c *Cell, floors []Floor) float64 {
	if c.Clients != 1 || c.Workload == oneWay || c.Latency.P50 == nil {
		return 0
	}
	for i := range floors {
		f := &floors[i]
		if f.Kind == composite && f.sameConditions(c) && f.Latency.P50 != nil {
			return ratio(*c.Latency.P50, *f.Latency.P50)
		}
	}
	return 0
}

// totals of a row's rounds.
type totals struct {
	rounds             int
	operations, missed uint64
	dropped            uint64
	elapsed            time.Duration
	costed             uint64 // operations that ledger and usage cover
	ledger             copies.Report
	usage              harness.Usage
}

func sum(generations [][]harness.Round) (t totals) {
	for _, rounds := range generations {
		for i := range rounds {
			r := &rounds[i]
			t.rounds++
			t.operations += r.Operations
			t.missed += r.Missed
			t.dropped += r.Dropped
			t.elapsed += r.Elapsed
			t.costed += r.CostOperations
			t.ledger.Add(r.Ledger)
			t.usage.Add(r.Usage)
		}
	}
	return t
}

func (t *totals) perCosted(x float64) float64 { return ratio(x, float64(t.costed)) }

// ratio is a/b, and 0 where b is none.
func ratio(a, b float64) float64 {
	if !(b > 0) {
		return 0
	}
	return a / b
}

func roundP50(generations [][]harness.Round) [][]float64 {
	out := make([][]float64, len(generations))
	for i, rounds := range generations {
		out[i] = make([]float64, len(rounds))
		for j := range rounds {
			out[i][j] = rounds[j].P50
		}
	}
	return out
}

func perRound(generations [][]harness.Round) [][]Round {
	out := make([][]Round, len(generations))
	for i, rounds := range generations {
		out[i] = make([]Round, len(rounds))
		for j := range rounds {
			r := &rounds[j]
			out[i][j] = Round{
				Operations: r.Operations, ElapsedNS: int64(r.Elapsed),
				P90NS:         p90.supported(r.P90, r.Operations),
				P99NS:         p99.supported(r.P99, r.Operations),
				SyscallsPerOp: ratio(float64(r.Ledger.OperationSyscalls()), float64(r.CostOperations)),
				CPUNSPerOp:    ratio(float64(r.Usage.CPU), float64(r.CostOperations)),
			}
		}
	}
	return out
}

// encode is a histogram in the V2 compressed form, in base64; empty without
// one.
func encode(h *hdrhistogram.Histogram) (string, error) {
	if h == nil {
		return "", nil
	}
	b, err := h.EncodeV2()
	return string(b), err
}

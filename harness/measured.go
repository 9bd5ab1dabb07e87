package harness

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ipcbench/harness/evidence"
	"ipcbench/ipc/copies"
)

// Measured is everything that a run recorded, before any statistics.
type Measured struct {
	Plan    Plan
	Cells   []CellRecord
	Floors  []FloorRecord
	Skipped []Skip
	// Warnings of the run as a whole.
	Warnings []string
	// Incomplete says why the run ended before its plan did, or is empty.
	Incomplete string
}

// CellRecord is what one cell's rounds gave.
type CellRecord struct {
	Key
	// Variant tells cells of one key apart where two builds, or two settings
	// of one transport, are measured in one run; else empty.
	Variant string
	// Generations of worker processes, each with its rounds in order.
	Generations [][]Round
	// Latency of every operation of every round, in nanoseconds.
	Latency *hdrhistogram.Histogram
	// Verified operations: every byte of every message checked, outside the
	// clock.
	Verified uint64
	Errors   []string
	// Notes say how the transport sized itself.
	Notes    []string
	Evidence map[string]evidence.Finding
}

// FloorKey names a floor.
type FloorKey struct {
	// Kind is "composite", "broker", "memcpy", "cacheline" or "futex".
	Kind         string `json:"kind"`
	RequestBytes int    `json:"request_bytes"`
	ReplyBytes   int    `json:"reply_bytes"`
	Wait         string `json:"wait"`
	Placement    string `json:"placement"`
}

// FloorRecord is what one floor's rounds gave.
type FloorRecord struct {
	FloorKey
	Latency     *hdrhistogram.Histogram
	Generations [][]Round
}

// Round is one timed round of a cell, all clients together.
type Round struct {
	// P50, P90 and P99 of the round's latencies in nanoseconds; the
	// histograms of single rounds are not kept.
	P50, P90, P99 float64
	// Operations that were timed, and the time from the first client's
	// start to the last one's end.
	Operations uint64
	Elapsed    time.Duration
	// Ledger and Usage of all processes of the cell together, over the
	// CostOperations: those timed and the warm-up before them.
	CostOperations uint64
	Ledger         copies.Report
	Usage          Usage
	// Missed operations of an open loop: those whose intended start had
	// passed by more than a period when they began. Dropped operations never
	// began, because the loop was behind by a whole round.
	Missed, Dropped uint64
	// HugePages: payload was produced on huge pages only.
	HugePages bool
}

// Usage is what the kernel charged the threads of a round.
type Usage struct {
	CPU                 time.Duration `json:"cpu_ns"`
	VoluntarySwitches   int64         `json:"voluntary"`
	InvoluntarySwitches int64         `json:"involuntary"`
	MinorFaults         int64         `json:"minor_faults"`
	MajorFaults         int64         `json:"major_faults"`
}

// Add adds another usage to u.
func (u *Usage) Add(o Usage) {
	u.CPU += o.CPU
	u.VoluntarySwitches += o.VoluntarySwitches
	u.InvoluntarySwitches += o.InvoluntarySwitches
	u.MinorFaults += o.MinorFaults
	u.MajorFaults += o.MajorFaults
}

// Skip is a transport, or some of its cells, that was not measured.
type Skip struct {
	Transport string `json:"transport"`
	Reason    string `json:"reason"`
	// Cell narrows the skip to some of the transport's cells, in words
	// ("wait spin, placement same"); empty means all of them.
	Cell string `json:"cell,omitempty"`
}

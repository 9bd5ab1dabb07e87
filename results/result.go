// Package results is what a run found: the model and its JSON form, the store
// that reads and writes it, the statistics over it, and the renderers.
//
// A [Result] is complete: reports are made of it alone, so that they can be
// made again from a stored file.
package results

import (
	"encoding/json"
	"slices"

	"ipcbench/harness"
	"ipcbench/harness/env"
	"ipcbench/harness/evidence"
	"ipcbench/ipc/copies"
)

// Schema names the JSON form of a Result.
const Schema = "ipcbench.result/v1"

// Result is one run.
type Result struct {
	Schema      string          `json:"schema"`
	Environment env.Environment `json:"environment"`
	Plan        harness.Plan    `json:"plan"`
	Floors      []Floor         `json:"floors"`
	Cells       []Cell          `json:"cells"`
	Skipped     []harness.Skip  `json:"skipped"`
	// Warnings of the run as a whole.
	Warnings []string `json:"warnings,omitempty"`
	// Incomplete says why the run ended before its plan did; what was
	// measured until then is here.
	Incomplete string `json:"incomplete,omitempty"`
}

// Cell is one combination of transport, work and conditions.
type Cell struct {
	harness.Key
	// Variant tells cells of one key apart where two builds, or two settings
	// of one transport, were measured in one run; else empty.
	Variant string `json:"variant,omitempty"`

	Rounds             int      `json:"rounds"`
	Operations         uint64   `json:"operations"`
	VerifiedOperations uint64   `json:"verified_operations"`
	Errors             []string `json:"errors"`
	Warnings           []string `json:"warnings"`
	// SmallPages: payload was not on the huge pages that the plan asked for.
	SmallPages bool `json:"small_pages,omitempty"`
	// Notes say how the transport sized itself for the cell.
	Notes []string `json:"notes,omitempty"`

	Latency    Latency     `json:"latency_ns"`
	RoundP50NS [][]float64 `json:"round_p50_ns"`
	// PerRound is what else is known of each round, shaped as RoundP50NS.
	PerRound [][]Round `json:"per_round,omitempty"`

	OperationsPerSecond   float64 `json:"operations_per_second"`
	PayloadBytesPerSecond float64 `json:"payload_bytes_per_second"`

	Copies               Copies  `json:"copies"`
	SyscallsPerOp        float64 `json:"syscalls_per_op"`
	ContextSwitchesPerOp float64 `json:"context_switches_per_op"`
	PageFaultsPerOp      float64 `json:"page_faults_per_op"`
	CPUNSPerOp           float64 `json:"cpu_ns_per_op"`
	MissedPerOp          float64 `json:"missed_per_op,omitempty"`
	FloorRatio           float64 `json:"floor_ratio,omitempty"`

	Evidence  map[string]evidence.Finding `json:"evidence"`
	Histogram string                      `json:"histogram"`
}

// Name of the cell's row: its transport, and its variant where it has one.
func (c *Cell) Name() string {
	if c.Variant == "" {
		return c.Transport
	}
	return c.Transport + " (" + c.Variant + ")"
}

// Round is one timed round of a cell. Percentiles that the round was too short
// for are absent.
type Round struct {
	Operations    uint64  `json:"operations"`
	ElapsedNS     int64   `json:"elapsed_ns"`
	P90NS         float64 `json:"p90_ns,omitempty"`
	P99NS         float64 `json:"p99_ns,omitempty"`
	SyscallsPerOp float64 `json:"syscalls_per_op"`
	CPUNSPerOp    float64 `json:"cpu_ns_per_op"`
}

// Latency in nanoseconds: a percentile that the sample does not support is
// absent. Nanoseconds are kept as they were recorded, with the histogram's
// three significant digits.
type Latency struct {
	Min   *float64    `json:"min,omitempty"`
	Mean  *float64    `json:"mean,omitempty"`
	P50   *float64    `json:"p50,omitempty"`
	P90   *float64    `json:"p90,omitempty"`
	P99   *float64    `json:"p99,omitempty"`
	P999  *float64    `json:"p99.9,omitempty"`
	P9999 *float64    `json:"p99.99,omitempty"`
	Max   *float64    `json:"max,omitempty"`
	P50CI *[2]float64 `json:"p50_ci,omitempty"`
}

// Copies per direction, from the ledger. A direction that delivered no payload
// has none (nil).
type Copies struct {
	Request          *float64           `json:"request"`
	Reply            *float64           `json:"reply"`
	BytesPerOp       float64            `json:"bytes_per_op"`
	HeaderBytesPerOp float64            `json:"header_bytes_per_op"`
	BySite           map[string]float64 `json:"by_site"` // payload bytes per operation; key "request pipe/writev"
}

// Floor is what the machine allows at best.
type Floor struct {
	Kind         string      `json:"kind"` // composite, broker, memcpy, cacheline, futex
	RequestBytes int         `json:"request_bytes"`
	ReplyBytes   int         `json:"reply_bytes"`
	Wait         string      `json:"wait"`
	Placement    string      `json:"placement"`
	Latency      Latency     `json:"latency_ns"`
	RoundP50NS   [][]float64 `json:"round_p50_ns"`
	Operations   uint64      `json:"operations"`
	CPUNSPerOp   float64     `json:"cpu_ns_per_op,omitempty"`
	Warnings     []string    `json:"warnings,omitempty"`
}

// The floors and workloads that results treat apart.
const (
	composite = "composite"
	broker    = "broker"
	oneWay    = "one-way"
)

// sameConditions reports whether the floor does the work of the cell under its
// conditions.
func (f *Floor) sameConditions(c *Cell) bool {
	return f.RequestBytes == c.RequestBytes && f.ReplyBytes == c.ReplyBytes &&
		f.Wait == c.Wait && f.Placement == c.Placement
}

// Marshal is the stored JSON form, indented, with a final newline. A list or an
// object of which there is nothing is empty there, not null.
func (r *Result) Marshal() ([]byte, error) {
	stored := *r
	stored.Floors, stored.Skipped = list(r.Floors), list(r.Skipped)
	stored.Cells = list(slices.Clone(r.Cells))
	for i := range stored.Cells {
		c := &stored.Cells[i]
		c.Errors, c.Warnings, c.RoundP50NS = list(c.Errors), list(c.Warnings), list(c.RoundP50NS)
		if c.Evidence == nil {
			c.Evidence = map[string]evidence.Finding{}
		}
	}
	b, err := json.MarshalIndent(&stored, "", " ")
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// list is a list that JSON does not write as null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// SetCopies fills the cell's copy figures from a ledger of ops operations.
func (c *Cell) SetCopies(l copies.Report, ops uint64) {
	c.Copies = Copies{BySite: map[string]float64{}}
	if n, ok := l.PerDirection(copies.Request); ok {
		c.Copies.Request = &n
	}
	if n, ok := l.PerDirection(copies.Reply); ok {
		c.Copies.Reply = &n
	}
	if ops == 0 {
		return
	}
	per := 1 / float64(ops)
	c.Copies.BytesPerOp = float64(l.Payload(copies.Request)+l.Payload(copies.Reply)) * per
	c.Copies.HeaderBytesPerOp = float64(l.OperationHeader()) * per
	for _, s := range l.Sites {
		c.Copies.BySite[s.Direction.String()+" "+s.Name] += float64(s.Payload) * per
	}
	c.SyscallsPerOp = float64(l.OperationSyscalls()) * per
}

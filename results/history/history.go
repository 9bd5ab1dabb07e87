// Package history shows how a figure went over many stored results: which runs
// there were, in the order of their time, what a metric of each cell was in each
// of them, and where the machine or the plan changed in between, so that a step
// is not taken for the program's.
//
// It judges nothing: package compare says whether one result is worse than
// another.
package history

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ipcbench/harness"
	"ipcbench/results"
	"ipcbench/results/compare"
)

// Schema names the JSON form of a History.
const Schema = "ipcbench.history/v1"

// ErrNothing reports that no cell of any result was asked for and has the
// metric.
var ErrNothing = errors.New("no cell to show")

// History is one metric over many results.
type History struct {
	Schema string `json:"schema"`
	Metric string `json:"metric"`
	Unit   string `json:"unit"`
	Runs   []Run  `json:"runs"`
	Cells  []Cell `json:"cells"`
	// Warnings say what was left out.
	Warnings []string `json:"warnings,omitempty"`

	metric metric
}

// Run is one stored result.
type Run struct {
	File   string    `json:"file"`
	Time   time.Time `json:"time"`
	Commit string    `json:"commit,omitempty"`
	// Changed are the conditions in which it differs from the run before.
	Changed []string `json:"changed,omitempty"`
}

// Cell is the metric of one cell, a value a run; nil where a run has none.
type Cell struct {
	harness.Key
	Variant string     `json:"variant,omitempty"`
	Values  []*float64 `json:"values"`
}

// Build takes a metric of the cells that a filter lets pass out of results, which
// are in order. It wraps ErrNothing, or names an unknown metric.
func Build(stored []Stored, name string, wanted Filter) (*History, error) {
	m, err := lookupMetric(name)
	if err != nil {
		return nil, err
	}
	h := &History{Schema: Schema, Metric: m.name, Unit: m.unit, metric: m}
	type id struct {
		key     harness.Key
		variant string
	}
	at := map[id]int{}
	for i, s := range stored {
		h.Runs = append(h.Runs, newRun(stored, i))
		for j := range s.Result.Cells {
			c := &s.Result.Cells[j]
			v := m.of(c)
			if v == nil || math.IsNaN(*v) || !wanted.match(c) {
				continue
			}
			k := id{c.Key, c.Variant}
			if _, known := at[k]; !known {
				at[k] = len(h.Cells)
				h.Cells = append(h.Cells, Cell{Key: c.Key, Variant: c.Variant, Values: make([]*float64, len(stored))})
			}
			h.Cells[at[k]].Values[i] = v
		}
	}
	if len(h.Cells) == 0 {
		return nil, fmt.Errorf("%w: none of %d results has %s of what was asked for", ErrNothing, len(stored), m.name)
	}
	return h, nil
}

func newRun(stored []Stored, i int) Run {
	s := stored[i]
	r := Run{File: s.Name, Time: s.time, Commit: s.Result.Environment.Commit}
	if i > 0 {
		r.Changed = compare.Differences(stored[i-1].Result, s.Result)
	}
	return r
}

// Filter picks cells; an empty list lets all pass. Transports are names or
// globs, checked by the caller.
type Filter struct {
	Transports, Workloads, Waits, Placements []string
	Sizes, Clients                           []int
}

func (f Filter) match(c *results.Cell) bool {
	return matches(f.Transports, c.Transport) && among(f.Workloads, c.Workload) && among(f.Waits, c.Wait) &&
		among(f.Placements, c.Placement) && among(f.Clients, c.Clients) &&
		(among(f.Sizes, c.RequestBytes) || among(f.Sizes, c.ReplyBytes))
}

func among[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// shared is what all cells have in common.
func (h *History) shared() results.Shared {
	keys := make([]harness.Key, len(h.Cells))
	for i := range h.Cells {
		keys[i] = h.Cells[i].Key
	}
	return results.SharedBy(keys)
}

// name of a cell, without what all cells share.
func (c *Cell) name(shared results.Shared) string {
	name := shared.Name(c.Key)
	if c.Variant != "" {
		name += ", " + c.Variant
	}
	return name
}

// span is the first and the last value, and how many there are.
func (c *Cell) span() (first, last float64, n int) {
	for _, v := range c.Values {
		if v == nil {
			continue
		}
		if n == 0 {
			first = *v
		}
		last = *v
		n++
	}
	return first, last, n
}

// bars are the heights of a trend, lowest first.
var bars = []rune("▁▂▃▄▅▆▇█")

// trendRuns is how many runs a trend shows, the last ones.
const trendRuns = 20

// trend draws the values from their lowest to their highest; a run without one
// is a gap.
func (c *Cell) trend() string {
	values := c.Values[max(0, len(c.Values)-trendRuns):]
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if v != nil {
			low, high = min(low, *v), max(high, *v)
		}
	}
	var b strings.Builder
	for _, v := range values {
		switch {
		case v == nil:
			b.WriteRune('·')
		case high == low:
			b.WriteRune(bars[0])
		default:
			b.WriteRune(bars[int((*v-low)/(high-low)*float64(len(bars)-1)+0.5)])
		}
	}
	return b.String()
}

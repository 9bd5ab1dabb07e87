// Package compare says cell by cell whether a new result is worse than an old
// one: it is the gate of a CI.
//
// The worker generation is the sample, as everywhere in results: what a
// generation of workers was dealt stays with all of its rounds. Two results are
// compared by a Mann-Whitney U test; a paired run, where both builds took turns,
// by a sign test over the generations' pairs. A gate gives one answer, and one
// false alarm in any cell spoils it, so that the error rate of the whole family
// of tests is what counts: p is corrected by Holm's method, not by one that
// bounds the share of false alarms. Counts (copies, allocations) need no test.
package compare

import (
	"errors"

	"ipcbench/harness"
)

// Schema names the JSON form of a Comparison.
const Schema = "ipcbench.comparison/v1"

// ErrNotComparable reports inputs that were not measured alike, or that lack
// cells.
var ErrNotComparable = errors.New("not comparable")

// Verdict on a new measurement next to an old one.
type Verdict string

// The verdicts.
const (
	Better Verdict = "better"
	Same   Verdict = "same"
	Worse  Verdict = "worse"
	// Inconclusive: too few or too noisy generations to say.
	Inconclusive Verdict = "inconclusive"
)

// Comparison of two results.
type Comparison struct {
	Schema string `json:"schema"`
	// Verdict of the whole: Worse if any cell is; else Inconclusive if any
	// is; else Better if any is; else Same.
	Verdict  Verdict  `json:"verdict"`
	Paired   bool     `json:"paired"`
	Warnings []string `json:"warnings,omitempty"`
	Cells    []Cell   `json:"cells"`
}

// Cell is one metric of one cell.
type Cell struct {
	harness.Key
	Metric string `json:"metric"`
	// Old and New are the medians of the generations, in the metric's unit.
	Old float64 `json:"old"`
	New float64 `json:"new"`
	// Change is the share by which New exceeds Old: 0.1 is 10 % more.
	Change float64 `json:"change"`
	// P is corrected for the number of tests; absent for counts.
	P       *float64 `json:"p"`
	Verdict Verdict  `json:"verdict"`
	// Threshold is the least change that counts.
	Threshold float64 `json:"threshold"`
	// Reason of Inconclusive.
	Reason string `json:"reason,omitempty"`
}

func (c *Comparison) conclude() {
	c.Verdict = Same
	for _, v := range []Verdict{Better, Inconclusive, Worse} {
		if c.Count(v) > 0 {
			c.Verdict = v
		}
	}
}

// Count is the number of cells with a verdict.
func (c *Comparison) Count(v Verdict) (n int) {
	for i := range c.Cells {
		if c.Cells[i].Verdict == v {
			n++
		}
	}
	return n
}

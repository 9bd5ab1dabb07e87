package claims

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ipcbench/harness"
)

var mappingDoubles = Tabulating(Drawing(Define(Meta{
	ID:         "C7",
	Statement:  "The mapping doubles performance, because it spares the second copy.",
	Source:     "D2 part 2",
	Refutation: "The same driver with a second copy out of the region takes less than 1.8 times as long.",
	Experiment: "Ablation: Binder beside its twin that copies the payload out of the region again before it is " +
		"read, side by side over sizes, waits and placements; next to it, what an operation's time consists of.",
	Timed: true,
}, measureAblation, judgeAblation), drawAblation), tabulateAblation)

// twofold is the ratio that counts as double: a tenth less is forgiven.
const twofold = 1.8

// ablation is the twin's latency as a multiple of the subject's, at one size and
// condition.
type ablation struct {
	condition
	Bytes   int   `json:"payload_bytes"`
	Latency ratio `json:"latency"`
}

// parts are what the median latency of an operation consists of, in nanoseconds,
// as differences between rows that differ in one thing: bare futex ping-pong;
// composite floor; Binder; its twin with a second copy; Binder with a Parcel.
type parts struct {
	Bytes int     `json:"payload_bytes"`
	Wake  float64 `json:"wake_ns"`
	// Payload is producing, copying once and consuming, both ways.
	Payload    float64 `json:"payload_ns"`
	Driver     float64 `json:"driver_ns"`
	SecondCopy float64 `json:"second_copy_ns"`
	// Parcel is 0 where the subject has no transport that fills one.
	Parcel float64 `json:"parcel_ns,omitempty"`
}

type ablations struct {
	Ablations []ablation `json:"ablations"`
	// Parts under the first condition.
	Parts []parts `json:"parts"`
}

func measureAblation(ctx context.Context, b *Bench, s Subject) (ablations, error) {
	var all ablations
	var absent error
	for _, c := range conditions() {
		run, err := b.speed(ctx, c)
		if err != nil {
			return ablations{}, err
		}
		twin := s.Name() + twoCopySuffix
		if err := run.have(s.Name(), twin); err != nil {
			absent = firstError(absent, err)
			continue
		}
		for _, n := range run.sizes(s.Name()) {
			if a := run.cells[twin][n]; a != nil {
				all.Ablations = append(all.Ablations, ablation{c, n, ratioOf(a, run.cells[s.Name()][n], p50)})
			}
		}
		if c == firstCondition() {
			all.Parts = run.parts(s.Name())
		}
	}
	if len(all.Ablations) == 0 {
		return ablations{}, absent
	}
	return all, nil
}

// parts of a subject's time, at the sizes where all rows were measured.
func (r *speedRun) parts(subject string) (all []parts) {
	futex := r.floor("futex", 0, "block")
	for _, n := range r.sizes(subject) {
		composite := r.floor("composite", n, r.condition.Wait)
		binder, twin := r.cells[subject][n], r.cells[subject+twoCopySuffix][n]
		if futex == nil || composite == nil || twin == nil {
			continue
		}
		p := parts{Bytes: n, Wake: typical(futex.Generations),
			Payload:    typical(composite.Generations) - typical(futex.Generations),
			Driver:     typical(binder.Generations) - typical(composite.Generations),
			SecondCopy: typical(twin.Generations) - typical(binder.Generations)}
		if parcel := r.cells[subject+parcelSuffix][n]; parcel != nil {
			p.Parcel = typical(parcel.Generations) - typical(binder.Generations)
		}
		all = append(all, p)
	}
	return all
}

func (r *speedRun) floor(kind string, size int, wait string) *harness.FloorRecord {
	return r.floors[harness.FloorKey{Kind: kind, RequestBytes: size, ReplyBytes: size, Wait: wait, Placement: r.condition.Placement}]
}

// judgeAblation: supported where the twin takes twice as long at every size and
// condition but a few that are open, refuted where it surely does not at most and
// does at none; conditional where both occur.
func judgeAblation(n ablations) Judgement {
	var at []string
	less, best := 0, ablation{}
	for _, a := range n.Ablations {
		switch {
		case a.Latency.above(twofold):
			at = append(at, fmt.Sprintf("%s (%s)", harness.SizeText(a.Bytes), a.condition))
		case a.Latency.below(twofold):
			less++
		}
		if a.Latency.Low > best.Latency.Low {
			best = a
		}
	}
	j := Judgement{
		Confidence: fmt.Sprintf("%.0f %% intervals over generations of processes", 100*ratioConfidence),
		Text: fmt.Sprintf("of %d comparisons the second copy doubles the time in %d and surely does not in %d; most it costs "+
			"is a factor of %s, at %s (%s)", len(n.Ablations), len(at), less, best.Latency, harness.SizeText(best.Bytes), best.condition) + partsText(n.Parts),
	}
	few := float64(len(n.Ablations)-len(at)-less) <= manyOpen*float64(len(n.Ablations))
	switch {
	case len(at) > 0 && less == 0 && few:
		j.Verdict = Supported
	case len(at) == 0 && float64(less) >= mostAgainst*float64(max(len(n.Ablations), 1)):
		j.Verdict = Refuted
	case len(at) > 0 && less > 0:
		j.Verdict, j.When = Conditional, "at "+strings.Join(at, ", ")
	default:
		j.Verdict = Inconclusive
	}
	return j
}

// partsText tells the parts at the smallest and the largest size.
func partsText(all []parts) string {
	if len(all) == 0 {
		return ""
	}
	text := ""
	for _, p := range []parts{all[0], all[len(all)-1]} {
		text += fmt.Sprintf("; an operation of %s: wake-ups %s, producing, one copy and consuming %s, driver %s, "+
			"a second copy would add %s, filling a Parcel %s", harness.SizeText(p.Bytes), microseconds(p.Wake), microseconds(p.Payload),
			microseconds(p.Driver), microseconds(p.SecondCopy), microseconds(p.Parcel))
	}
	return text
}

func microseconds(ns float64) string { return fmt.Sprintf("%.1f µs", ns/1e3) }

func drawAblation(columns []string, numbers []ablations) []Figure {
	f := Figure{Title: "Time with a second copy, as a multiple of the time without", XLabel: "payload", XUnit: Bytes,
		YLabel: "ratio of p50", LogX: true}
	for i, n := range numbers {
		var order []condition
		lines := map[condition][][2]float64{}
		for _, a := range n.Ablations {
			if lines[a.condition] == nil {
				order = append(order, a.condition)
			}
			lines[a.condition] = append(lines[a.condition], [2]float64{float64(a.Bytes), a.Latency.Middle})
		}
		for _, c := range order {
			f.Series = append(f.Series, Series{Name: columns[i] + ", " + c.String(), Points: lines[c]})
		}
	}
	f.Series = append(f.Series, level("the claim", 2, f.Series))
	return append([]Figure{f}, drawParts(columns, numbers)...)
}

// tabulateAblation has a row a size and a column a condition, a table a subject.
func tabulateAblation(columns []string, numbers []ablations) (tables []Table) {
	for i, n := range numbers {
		t := Table{Title: columns[i] + ": time with a second copy, as a multiple of the time without", Header: []string{"payload"}}
		at := map[condition]int{}
		rows := map[int][]string{}
		for _, a := range n.Ablations {
			if at[a.condition] == 0 {
				at[a.condition] = len(t.Header)
				t.Header = append(t.Header, a.condition.String())
			}
			rows[a.Bytes] = nil
		}
		for _, size := range slices.Sorted(maps.Keys(rows)) {
			rows[size] = append([]string{harness.SizeText(size)}, slices.Repeat([]string{"–"}, len(at))...)
			t.Rows = append(t.Rows, rows[size])
		}
		for _, a := range n.Ablations {
			rows[a.Bytes][at[a.condition]] = a.Latency.String()
		}
		tables = append(tables, t)
	}
	return tables
}

// drawParts shows what an operation's time consists of, a picture a subject.
func drawParts(columns []string, numbers []ablations) (figures []Figure) {
	for i, n := range numbers {
		if len(n.Parts) == 0 {
			continue
		}
		f := Figure{Title: "What the time of " + columns[i] + " consists of: " + firstOf(n).String(), YLabel: "time of an operation", YUnit: Nanoseconds}
		series := make([]Series, 5)
		for k, name := range []string{"wake-ups", "produce, one copy, consume", "driver", "a second copy would add", "a Parcel would add"} {
			series[k].Name = name
		}
		for at, p := range n.Parts {
			f.Categories = append(f.Categories, harness.SizeText(p.Bytes))
			for k, v := range []float64{p.Wake, p.Payload, p.Driver, p.SecondCopy, p.Parcel} {
				series[k].Points = append(series[k].Points, [2]float64{float64(at), v})
			}
		}
		f.Series = series
		figures = append(figures, f)
	}
	return figures
}

func firstOf(n ablations) condition { return n.Ablations[0].condition }

package claims

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ipcbench/harness"
)

var moreEfficient = Tabulating(Drawing(Define(Meta{
	ID:        "C6",
	Statement: "Binder is more efficient than pipes and message queues, because those copy into the kernel and out of it again.",
	Source:    "D2 part 1",
	Refutation: "A size, a wait and a placement at which Binder does not take clearly less time than each of them; " +
		"refuted altogether if there is none at which it does.",
	Experiment: "Binder, pipe, Unix socket, System V and POSIX message queue side by side, in equal waits: latency, " +
		"time and CPU per operation over sizes, waits and placements, with intervals over generations of processes; sizes " +
		"are added where a rival is overtaken.",
	Timed: true,
}, measureContests, judgeEfficiency), drawContests), tabulateBoundaries)

// duel is a subject against a rival under one condition.
type duel struct {
	condition
	Rival    string    `json:"rival"`
	Contests []contest `json:"contests"`
}

type duels struct {
	Duels []duel `json:"duels"`
}

func measureContests(ctx context.Context, b *Bench, s Subject) (duels, error) {
	var all duels
	var absent error
	for _, c := range conditions() {
		run, err := b.speed(ctx, c)
		if err != nil {
			return duels{}, err
		}
		if err := run.have(s.Name()); err != nil {
			absent = firstError(absent, err)
			continue
		}
		for _, rival := range rivals {
			if contests := run.contests(s.Name(), rival); len(contests) > 0 {
				all.Duels = append(all.Duels, duel{c, rival, contests})
			}
		}
	}
	if len(all.Duels) == 0 {
		return duels{}, absent
	}
	return all, nil
}

// A statement without conditions is supported only where hardly any comparison is
// open (manyOpen); one that is against it would do to refute it, so that it is
// refuted where most are and none is for it.
const (
	manyOpen    = 0.1
	mostAgainst = 2.0 / 3
)

// judgeEfficiency: supported where every contest is won but a few that are open,
// refuted where most are not and none is; conditional where some duels are won
// from a size on and other contests are not.
func judgeEfficiency(n duels) Judgement {
	counts := map[outcome]int{}
	total, holding := 0, 0
	for _, d := range n.Duels {
		for _, c := range d.Contests {
			counts[c.outcome()]++
			total++
		}
		if d.holdsFrom() > 0 {
			holding++
		}
	}
	j := Judgement{
		Confidence: fmt.Sprintf("%.0f %% intervals over generations of processes", 100*ratioConfidence),
		Text: fmt.Sprintf("of %d contests (4 rivals × waits × placements × sizes) it wins %d, does not win %d, and %d are open",
			total, counts[more], counts[notMore], counts[open]) + "; " + extremes(n),
	}
	few := float64(counts[open]) <= manyOpen*float64(total)
	switch {
	case counts[more] > 0 && counts[notMore] == 0 && few:
		j.Verdict = Supported
	case counts[more] == 0 && float64(counts[notMore]) >= mostAgainst*float64(max(total, 1)):
		j.Verdict = Refuted
	case holding > 0 && counts[notMore] > 0:
		j.Verdict, j.When = Conditional, boundaries(n)
	default:
		j.Verdict = Inconclusive
	}
	return j
}

// holdsFrom is the smallest size from which on every contest is won, or 0.
func (d duel) holdsFrom() (size int) {
	for _, c := range slices.Backward(d.Contests) {
		if c.outcome() != more {
			break
		}
		size = c.Bytes
	}
	return size
}

// gap is where it begins to hold, between two sizes that were measured; both are
// 0 where it holds always or never.
func (d duel) gap() (low, high int) {
	from := d.holdsFrom()
	for i, c := range d.Contests {
		if c.Bytes == from && i > 0 {
			return d.Contests[i-1].Bytes, from
		}
	}
	return 0, 0
}

// boundaries says of each condition and rival from which size on it holds.
func boundaries(n duels) string {
	var order []condition
	by := map[condition][]string{}
	for _, d := range n.Duels {
		if by[d.condition] == nil {
			order = append(order, d.condition)
		}
		text := d.Rival + " never"
		switch from := d.holdsFrom(); from {
		case 0:
		case d.Contests[0].Bytes:
			text = d.Rival + " always"
		default:
			text = fmt.Sprintf("%s from %s", d.Rival, harness.SizeText(from))
		}
		by[d.condition] = append(by[d.condition], text)
	}
	var parts []string
	for _, c := range order {
		parts = append(parts, c.String()+": "+strings.Join(by[c], ", "))
	}
	return strings.Join(parts, "; ")
}

// tabulateBoundaries tells, a table a subject, from which size on each rival is
// overtaken for good, and the ratios on both sides of that boundary.
func tabulateBoundaries(columns []string, numbers []duels) (tables []Table) {
	for i, n := range numbers {
		t := Table{Title: columns[i] + ": the size from which it takes clearly less time, and its latency as a multiple of the rival's",
			Header: []string{"waits", "rival", "from", "ratio there", "at the size before", "at the largest"}}
		for _, d := range n.Duels {
			t.Rows = append(t.Rows, append([]string{d.condition.String(), d.Rival}, d.boundary()...))
		}
		tables = append(tables, t)
	}
	return tables
}

// boundary is where a duel begins to be won, and the ratios there, before it, and
// at its end; a dash stands for what there is not.
func (d duel) boundary() []string {
	const none = "–"
	from, there, before := "never", none, none
	for i, c := range d.Contests {
		if c.Bytes != d.holdsFrom() {
			continue
		}
		from, there = harness.SizeText(c.Bytes), c.Latency.String()
		if i > 0 {
			before = fmt.Sprintf("%s (%s)", d.Contests[i-1].Latency, harness.SizeText(d.Contests[i-1].Bytes))
		}
	}
	last := d.Contests[len(d.Contests)-1]
	return []string{from, there, before, fmt.Sprintf("%s (%s)", last.Latency, harness.SizeText(last.Bytes))}
}

// extremes are the latency ratios that are surely best and worst.
func extremes(n duels) string {
	var best, worst contest
	var bestOf, worstOf duel
	for _, d := range n.Duels {
		for _, c := range d.Contests {
			if c.Latency.Generations == 0 {
				continue
			}
			if best.Bytes == 0 || c.Latency.High < best.Latency.High {
				best, bestOf = c, d
			}
			if worst.Bytes == 0 || c.Latency.Low > worst.Latency.Low {
				worst, worstOf = c, d
			}
		}
	}
	if best.Bytes == 0 {
		return "no ratio could be had"
	}
	return fmt.Sprintf("its latency is at best %s times that of %s (%s, %s), at worst %s times that of %s (%s, %s)",
		best.Latency, bestOf.Rival, harness.SizeText(best.Bytes), bestOf.condition,
		worst.Latency, worstOf.Rival, harness.SizeText(worst.Bytes), worstOf.condition)
}

// drawContests draws a picture a subject: latency next to each rival's, blocking,
// on the first placement.
func drawContests(columns []string, numbers []duels) (figures []Figure) {
	for i, n := range numbers {
		f := Figure{Title: "Latency of " + columns[i] + " as a multiple of each rival's: " + n.Duels[0].condition.String(),
			XLabel: "payload", XUnit: Bytes, YLabel: "ratio of p50 (below 1: Binder takes less)", LogX: true, LogY: true}
		for _, d := range n.Duels {
			if d.condition != n.Duels[0].condition {
				continue
			}
			s := Series{Name: d.Rival}
			for _, c := range d.Contests {
				s.Points = append(s.Points, [2]float64{float64(c.Bytes), c.Latency.Middle})
			}
			f.Series = append(f.Series, s)
		}
		f.Series = append(f.Series, level("as fast", 1, f.Series))
		figures = append(figures, f)
	}
	return figures
}

// level is a line at one value, as wide as others.
func level(name string, at float64, others []Series) Series {
	low, high := others[0].Points[0][0], others[0].Points[0][0]
	for _, s := range others {
		for _, p := range s.Points {
			low, high = min(low, p[0]), max(high, p[0])
		}
	}
	return Series{Name: name, Points: [][2]float64{{low, at}, {high, at}}}
}

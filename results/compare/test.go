package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"ipcbench/results"
)

// level at which a difference is one, over the whole family of tests.
const level = 0.05

// test is the judgement of one metric of one cell.
type test struct {
	Cell
	metric metric
	sample sample // of ranked metrics
	family int
}

// testsOf makes the tests of all metrics that both sides have.
func testsOf(old, young *row, d design, thresholds Thresholds) (tests []*test) {
	for _, m := range metrics {
		t := &test{metric: m, Cell: Cell{Key: old.key, Metric: m.name}}
		if m.kind == exact {
			before, known := old.counts[m.name]
			after, also := young.counts[m.name]
			if known && also {
				t.count(before, after)
				tests = append(tests, t)
			}
			continue
		}
		before, after := old.rounds[m.name], young.rounds[m.name]
		t.Old, t.New = middle(before, m.kind), middle(after, m.kind)
		if math.IsNaN(t.Old) || math.IsNaN(t.New) {
			continue
		}
		t.Change = share(t.Old, t.New)
		if m.kind == calls {
			t.calls(d, before, after)
		} else {
			t.Threshold = thresholds[m.name]
			t.sample = d.sample(before, after)
			if 2*t.sample.size() < min(len(before), len(after)) {
				continue // most rounds are too short for this percentile
			}
			t.Change = math.Expm1(t.sample.change())
		}
		tests = append(tests, t)
	}
	return tests
}

// middle is the median of the generations; NaN where there is none.
func middle(generations [][]float64, k kind) float64 {
	if k == ranked {
		generations = positive(generations)
	}
	medians := results.GenerationMedians(generations)
	if len(medians) == 0 {
		return math.NaN()
	}
	return median(medians)
}

// share by which a value exceeds another; 1 where there was none before.
func share(old, young float64) float64 {
	switch {
	case old == young:
		return 0
	case old == 0:
		return 1
	}
	return young/old - 1
}

// rounding is what sums of floating-point figures may be off.
const rounding = 1e-9

// count judges a count: any worsening is one.
func (t *test) count(old, young float64) {
	t.Old, t.New, t.Change = old, young, share(old, young)
	slack := rounding * max(old, young)
	switch {
	case young > old+slack:
		t.Verdict = Worse
	case young < old-slack:
		t.Verdict = Better
	default:
		t.Verdict = Same
	}
}

func (t *test) calls(d design, old, young [][]float64) {
	switch {
	case d.rises(old, young, moreCalls):
		t.Verdict = Worse
	case d.rises(young, old, moreCalls):
		t.Verdict = Better
	default:
		t.Verdict = Same
	}
}

// holm gives the tests their two-sided p, corrected so that the chance of any
// false alarm among them all stays at the level.
func holm(all []*test) {
	var tests []*test
	raw := map[*test]float64{}
	for _, t := range all {
		if t.sample != nil {
			tests = append(tests, t)
			raw[t] = min(1, 2*min(t.sample.above(0), t.sample.below(0)))
		}
	}
	slices.SortStableFunc(tests, func(a, b *test) int { return cmp.Compare(raw[a], raw[b]) })
	highest := 0.0
	for i, t := range tests {
		highest = max(highest, min(1, raw[t]*float64(len(tests)-i)))
		p := highest
		t.P, t.family = &p, len(tests)
	}
}

// conclude gives a tested metric its verdict: a change that is both clear and
// large enough, or one that is shown to be smaller, or neither.
func (t *test) conclude() {
	if t.sample == nil {
		return
	}
	limit := math.Log1p(t.Threshold)
	change := t.sample.change()
	switch {
	case *t.P < level && math.Abs(change) >= limit:
		t.Verdict = Better
		if (change > 0) != t.metric.up {
			t.Verdict = Worse
		}
	case t.sample.below(limit) < level && t.sample.above(-limit) < level:
		t.Verdict = Same
	default:
		t.Verdict, t.Reason = Inconclusive, t.doubt()
	}
}

func (t *test) doubt() string {
	if 2*t.sample.least()*float64(t.family) >= level {
		return fmt.Sprintf("%d generations are too few for %d tests", t.sample.size(), t.family)
	}
	return "too noisy"
}

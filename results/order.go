package results

import (
	"fmt"

	"golang.org/x/perf/benchmath"
)

// Verdict is the outcome of ordering two cells.
type Verdict string

// The verdicts.
const (
	Faster             Verdict = "faster"
	Slower             Verdict = "slower"
	NotDistinguishable Verdict = "not distinguishable"
	NotComparable      Verdict = "not comparable"
)

// Comparison is what may be said of cell A next to cell B.
type Comparison struct {
	A, B    string // names of the rows
	Verdict Verdict
	// P is the probability of a difference as clear as this one between two
	// rows that do not differ; not corrected for other comparisons.
	P float64
	// Ratio of A's p50 to B's: below 1, A takes less time.
	Ratio float64
	// Reason of NotComparable, and of NotDistinguishable where more
	// generations would be needed to tell.
	Reason string
}

// Order says whether a is faster than b, by a Mann-Whitney U test over the
// medians of their generations, at the 5 % level. Cells are compared only where
// they do the same work under the same conditions: no sentence sets a spinning
// wait against a blocking one.
func Order(a, b *Cell) Comparison {
	c := Comparison{A: a.Name(), B: b.Name(), P: 1}
	if what := conditionsDiffer(a, b); what != "" {
		c.Verdict, c.Reason = NotComparable, what+" differs"
		return c
	}
	first, second := GenerationMedians(a.RoundP50NS), GenerationMedians(b.RoundP50NS)
	if len(first) == 0 || len(second) == 0 {
		c.Verdict, c.Reason = NotComparable, "nothing was measured"
		return c
	}
	test := benchmath.AssumeNothing.Compare(sampleOf(first), sampleOf(second))
	c.P = test.P
	c.Ratio = centre(a.RoundP50NS) / centre(b.RoundP50NS)
	switch {
	case test.P >= test.Alpha:
		c.Verdict = NotDistinguishable
		if len(test.Warnings) > 0 {
			c.Reason = test.Warnings[0].Error()
		}
	case c.Ratio < 1:
		c.Verdict = Faster
	default:
		c.Verdict = Slower
	}
	return c
}

// String is the sentence that the verdict allows.
func (c Comparison) String() string {
	switch c.Verdict {
	case Faster:
		return fmt.Sprintf("%s is faster than %s (p=%.3f)", c.A, c.B, c.P)
	case Slower:
		return fmt.Sprintf("%s is faster than %s (p=%.3f)", c.B, c.A, c.P)
	case NotDistinguishable:
		return fmt.Sprintf("%s and %s are not distinguishable (p=%.3f)", c.A, c.B, c.P)
	}
	return fmt.Sprintf("%s and %s are not comparable: %s", c.A, c.B, c.Reason)
}

func sampleOf(values []float64) *benchmath.Sample {
	return benchmath.NewSample(append([]float64(nil), values...), &benchmath.DefaultThresholds)
}

// conditionsDiffer names the first condition in which two cells differ.
func conditionsDiffer(a, b *Cell) string {
	switch {
	case a.Wait != b.Wait:
		return "wait"
	case a.Placement != b.Placement:
		return "placement"
	case a.Workload != b.Workload:
		return "workload"
	case a.RequestBytes != b.RequestBytes || a.ReplyBytes != b.ReplyBytes:
		return "payload size"
	case a.Clients != b.Clients:
		return "number of clients"
	}
	return ""
}

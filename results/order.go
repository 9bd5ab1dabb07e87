package results

import (
	"fmt"
	"math"

	"github.com/montanaflynn/stats"
)

// orderLevel is the probability of a false order that is put up with.
const orderLevel = 0.05

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
	// Ratio of A's p50 to B's in a typical generation: below 1, A takes less
	// time.
	Ratio float64
	// Reason of NotComparable, and of NotDistinguishable where more
	// generations would be needed to tell.
	Reason string
}

// Order says whether a is faster than b, two rows of one run, by a paired t-test
// over their generations at the 5 % level (see Pairs). Cells are compared only
// where they do the same work under the same conditions: no sentence sets a
// spinning wait against a blocking one.
func Order(a, b *Cell) Comparison {
	c := Comparison{A: a.Name(), B: b.Name(), P: 1}
	if what := conditionsDiffer(a, b); what != "" {
		c.Verdict, c.Reason = NotComparable, what+" differs"
		return c
	}
	pairs := Pairs(b.RoundP50NS, a.RoundP50NS)
	middle, err := stats.Mean(pairs)
	if err != nil {
		c.Verdict, c.Reason = NotComparable, "nothing was measured"
		return c
	}
	c.Ratio = math.Exp(middle)
	if c.P, err = pairedTest(pairs); err != nil {
		c.Reason = err.Error()
	}
	switch {
	case c.P >= orderLevel:
		c.Verdict = NotDistinguishable
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
		return fmt.Sprintf("%s is faster than %s (%s)", c.A, c.B, significance(c.P))
	case Slower:
		return fmt.Sprintf("%s is faster than %s (%s)", c.B, c.A, significance(c.P))
	case NotDistinguishable:
		return fmt.Sprintf("%s and %s are not distinguishable (%s)", c.A, c.B, significance(c.P))
	}
	return fmt.Sprintf("%s and %s are not comparable: %s", c.A, c.B, c.Reason)
}

// significance is a probability with as many digits as mean something.
func significance(p float64) string {
	if p < 0.001 {
		return "p<0.001"
	}
	return fmt.Sprintf("p=%.3f", p)
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

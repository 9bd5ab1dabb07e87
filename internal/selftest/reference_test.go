package selftest

import (
	"math"
	"testing"
)

// TestRatio: turns that drift together keep their ratio, and only turns whose
// interval holds the limit ask for more.
func TestRatio(t *testing.T) {
	for _, c := range []struct {
		by, spread float64
		undecided  bool
	}{
		{1.02, 0.01, false}, {1.09, 0.2, true}, {1.2, 0.01, false},
	} {
		var all turns
		for i := range fewTurns {
			drift := 1 + float64(i)/10
			noise := math.Exp(c.spread * float64(i%3-1))
			all.theirs = append(all.theirs, []float64{5000 * drift})
			all.ours = append(all.ours, []float64{5000 * drift * c.by * noise})
		}
		r := ratioOf(all.ours, all.theirs)
		if math.Abs(r.middle-c.by) > 1e-9 || r.low > c.by || r.high < c.by || all.undecided() != c.undecided {
			t.Errorf("%+v: %v, undecided %v", c, r, all.undecided())
		}
	}
}

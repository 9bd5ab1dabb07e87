package selftest

import (
	"errors"
	"io"
	"math"
	"testing"
)

// TestWilson: the interval for 10 of 20 and for none of 10, by the closed
// formula: z²/(n+z²) is the upper end where nothing was seen.
func TestWilson(t *testing.T) {
	low, high := wilson(0, 10)
	if low != 0 || math.Abs(high-3.8415/13.8415) > 1e-4 {
		t.Errorf("0 of 10: %g to %g", low, high)
	}
	low, high = wilson(10, 20)
	if math.Abs(low+high-1) > 1e-12 || low < 0.29 || low > 0.31 {
		t.Errorf("10 of 20: %g to %g", low, high)
	}
}

func TestGateJudges(t *testing.T) {
	for _, c := range []struct {
		gateCase
		fired, runs int
		good        bool
	}{
		{gateCases[0], 2, 60, true}, {gateCases[0], 3, 60, false}, {gateCases[0], 0, 4, true}, {gateCases[0], 1, 4, false},
		{gateCases[1], 54, 60, true}, {gateCases[1], 53, 60, false}, {gateCases[2], 59, 60, false}, {gateCases[2], 4, 4, true},
	} {
		if err := c.judge(io.Discard, c.fired, c.runs); (err == nil) != c.good || err != nil && !errors.Is(err, ErrFailed) {
			t.Errorf("%s, %d of %d: %v", c.name, c.fired, c.runs, err)
		}
	}
}

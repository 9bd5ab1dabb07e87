package results

import (
	"errors"
	"fmt"
	"math"

	"github.com/aclements/go-moremath/stats"
)

// Pairs compares two rows that took turns in one run: one value a generation,
// the median of the logarithms of b over a in its rounds. Rounds of the same
// number lie next to each other in time, so that a machine that changes its speed
// in between changes both, and the ratio stays. Generations in which either row
// has nothing are left out.
func Pairs(a, b [][]float64) (ratios []float64) {
	for g := range min(len(a), len(b)) {
		var rounds []float64
		for i := range min(len(a[g]), len(b[g])) {
			if a[g][i] > 0 && b[g][i] > 0 {
				rounds = append(rounds, math.Log(b[g][i]/a[g][i]))
			}
		}
		ratios = append(ratios, GenerationMedians([][]float64{rounds})...)
	}
	return ratios
}

// pairedTest is the probability that pairs lie as far from nothing as these where
// the rows do not differ: the paired t-test of their logarithms, as Interval is
// the t-interval of one row's.
func pairedTest(pairs []float64) (p float64, err error) {
	if len(pairs) < minGenerations {
		return 1, fmt.Errorf("%d generations are too few: the test takes %d", len(pairs), minGenerations)
	}
	sample := stats.Sample{Xs: pairs}
	test, err := stats.OneSampleTTest(sample, 0, stats.LocationDiffers)
	if errors.Is(err, stats.ErrZeroVariance) && sample.Mean() != 0 {
		return 0, nil
	}
	if err != nil {
		return 1, err
	}
	return test.P, nil
}

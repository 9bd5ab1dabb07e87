package results

import (
	"math"

	"github.com/montanaflynn/stats"
	"golang.org/x/perf/benchmath"
)

const (
	// confidence of every interval.
	confidence = 0.95
	// minGenerations is how many generations an interval takes. Two give
	// one degree of freedom, and an interval so wide that it says nothing.
	minGenerations = 3
)

// GenerationMedians is one value a generation, the median of its rounds'
// values; generations without a round are left out. It is the sample of every
// interval and test: what a generation of workers was dealt by address layout,
// page placement and scheduling stays with all of its rounds, so that these
// are no independent samples of the transport.
func GenerationMedians(generations [][]float64) []float64 {
	var medians []float64
	for _, rounds := range generations {
		if m, err := stats.Median(rounds); err == nil {
			medians = append(medians, m)
		}
	}
	return medians
}

// Interval is the confidence interval for the latency of a typical generation,
// or nil where there are too few of them.
//
// It is the t-interval of the generations' logarithms. Latencies are positive
// and differ by factors, so their logarithms are the nearer to normal; and a
// distribution-free interval for the median does not exist at this level below
// six generations, where the default is five.
func Interval(generations [][]float64) *[2]float64 {
	sample, ok := logSample(GenerationMedians(generations))
	if !ok {
		return nil
	}
	s := benchmath.AssumeNormal.Summary(sample, confidence)
	low, high := math.Exp(s.Lo), math.Exp(s.Hi)
	if !(low > 0) || math.IsInf(high, 0) || math.IsNaN(high) {
		return nil
	}
	return &[2]float64{low, high}
}

func logSample(medians []float64) (*benchmath.Sample, bool) {
	if len(medians) < minGenerations {
		return nil, false
	}
	logs := make([]float64, len(medians))
	for i, m := range medians {
		if !(m > 0) {
			return nil, false
		}
		logs[i] = math.Log(m)
	}
	return benchmath.NewSample(logs, &benchmath.DefaultThresholds), true
}

// centre of the generations: their geometric mean, which is the middle of
// Interval. It is NaN where there is none.
func centre(generations [][]float64) float64 {
	m, err := stats.GeometricMean(GenerationMedians(generations))
	if err != nil {
		return math.NaN()
	}
	return m
}

package compare

import (
	"math"

	"github.com/aclements/go-moremath/stats"
	summary "github.com/montanaflynn/stats"

	"ipcbench/results"
)

// design is how old and new generations stand to each other. Its samples are
// logarithms, since latencies are positive and differ by factors.
type design interface {
	// sample prepares the generations of a metric.
	sample(old, young [][]float64) sample
	// rises reports whether every generation rose by at least this much.
	rises(old, young [][]float64, by float64) bool
}

// sample is what a test needs of a metric's generations.
type sample interface {
	// change is the median logarithm of new over old.
	change() float64
	// above is the one-sided p of new over old exceeding a shift (a
	// logarithm), below that of falling short of it.
	above(shift float64) float64
	below(shift float64) float64
	// least is the smallest one-sided p that so many generations can give.
	least() float64
	size() int
}

// apart are two runs: no generation of one has anything to do with one of the
// other.
type apart struct{}

type apartSample struct{ old, young []float64 }

func (apart) sample(old, young [][]float64) sample {
	return apartSample{logs(results.GenerationMedians(positive(old))), logs(results.GenerationMedians(positive(young)))}
}

func (s apartSample) size() int { return min(len(s.old), len(s.young)) }

func (s apartSample) change() float64 { return median(s.young) - median(s.old) }

func (s apartSample) above(shift float64) float64 { return s.p(shift, stats.LocationGreater) }
func (s apartSample) below(shift float64) float64 { return s.p(shift, stats.LocationLess) }

// p is 1 where the test cannot be made: all values are equal.
func (s apartSample) p(shift float64, alternative stats.LocationHypothesis) float64 {
	moved := make([]float64, len(s.old))
	for i, v := range s.old {
		moved[i] = v + shift
	}
	r, err := stats.MannWhitneyUTest(s.young, moved, alternative)
	if err != nil || math.IsNaN(r.P) {
		return 1
	}
	return r.P
}

// least is one arrangement of all that are possible.
func (s apartSample) least() float64 {
	n, k := float64(len(s.old)+len(s.young)), float64(len(s.old))
	all, _ := math.Lgamma(n + 1)
	one, _ := math.Lgamma(k + 1)
	other, _ := math.Lgamma(n - k + 1)
	return math.Exp(one + other - all)
}

func (apart) rises(old, young [][]float64, by float64) bool {
	before, after := results.GenerationMedians(old), results.GenerationMedians(young)
	high, err := summary.Max(before)
	low, err2 := summary.Min(after)
	return err == nil && err2 == nil && low-high >= by
}

// paired are two builds that took turns in one run: rounds of the same number
// in the same generation lie next to each other in time.
type paired struct{}

// pairs are logarithms of new over old, one a generation.
type pairs []float64

func (paired) sample(old, young [][]float64) sample {
	return pairs(results.Pairs(old, young))
}

func (p pairs) size() int       { return len(p) }
func (p pairs) change() float64 { return median(p) }

// above is the sign test: as many pairs above the shift if either side were as
// likely. Pairs on the shift say nothing.
func (p pairs) above(shift float64) float64 {
	n, k := 0, 0
	for _, v := range p {
		if v != shift {
			n++
		}
		if v > shift {
			k++
		}
	}
	if k == 0 {
		return 1
	}
	return 1 - stats.BinomialDist{N: n, P: 0.5}.CDF(float64(k-1))
}

func (p pairs) below(shift float64) float64 {
	mirrored := make(pairs, len(p))
	for i, v := range p {
		mirrored[i] = -v
	}
	return mirrored.above(-shift)
}

func (p pairs) least() float64 { return math.Exp2(-float64(len(p))) }

func (paired) rises(old, young [][]float64, by float64) bool {
	before, after := results.GenerationMedians(old), results.GenerationMedians(young)
	for g := range min(len(before), len(after)) {
		if after[g]-before[g] < by {
			return false
		}
	}
	return len(before) > 0 && len(before) == len(after)
}

func median(values []float64) float64 {
	m, err := summary.Median(values)
	if err != nil {
		return 0
	}
	return m
}

func logs(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = math.Log(v)
	}
	return out
}

// positive leaves out rounds without a value.
func positive(generations [][]float64) [][]float64 {
	out := make([][]float64, len(generations))
	for g, rounds := range generations {
		for _, v := range rounds {
			if v > 0 {
				out[g] = append(out[g], v)
			}
		}
	}
	return out
}

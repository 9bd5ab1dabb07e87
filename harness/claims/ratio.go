package claims

import (
	"fmt"
	"math"

	"github.com/montanaflynn/stats"
	"golang.org/x/perf/benchmath"

	"ipcbench/harness"
)

const (
	// ratioConfidence of the intervals that decide. A claim looks at dozens of
	// them, so that one in twenty would be too many to be wrong.
	ratioConfidence = 0.99
	// minPairs is the least number of generations that give an interval.
	minPairs = 4
)

// ratio of two transports, with its interval: the middle is the geometric mean
// of the generations' ratios, each of them of rounds that stood side by side.
type ratio struct {
	Middle float64 `json:"ratio"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	// Generations it is made of; 0 means that there is no ratio.
	Generations int `json:"generations"`
}

func (r ratio) String() string {
	if r.Generations == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.2f [%.2f, %.2f]", r.Middle, r.Low, r.High)
}

// below and above say that the whole interval is on one side of a bound.
func (r ratio) below(bound float64) bool { return r.Generations > 0 && r.High < bound }
func (r ratio) above(bound float64) bool { return r.Generations > 0 && r.Low > bound }

// typical is the median over generations of the median round, in nanoseconds.
func typical(generations [][]harness.Round) float64 {
	var medians []float64
	for _, rounds := range generations {
		var all []float64
		for _, r := range rounds {
			all = append(all, r.P50)
		}
		if m, err := stats.Median(all); err == nil {
			medians = append(medians, m)
		}
	}
	m, err := stats.Median(medians)
	if err != nil {
		return 0
	}
	return m
}

// ratioOf is what of(a) is to of(b). Rounds are paired by their number, since
// both took their turns then; generations are the sample, because what a
// generation of workers was dealt by the system stays with all of its rounds.
func ratioOf(a, b *harness.CellRecord, of func(harness.Round) float64) ratio {
	var logs []float64
	for g := range min(len(a.Generations), len(b.Generations)) {
		sum, n := 0.0, 0
		for i := range min(len(a.Generations[g]), len(b.Generations[g])) {
			x, y := of(a.Generations[g][i]), of(b.Generations[g][i])
			if x > 0 && y > 0 {
				sum += math.Log(x / y)
				n++
			}
		}
		if n > 0 {
			logs = append(logs, sum/float64(n))
		}
	}
	return ratioOfLogs(logs)
}

// ratioOfLogs is the t-interval of logarithms of ratios.
func ratioOfLogs(logs []float64) ratio {
	if len(logs) < minPairs {
		return ratio{}
	}
	s := benchmath.AssumeNormal.Summary(benchmath.NewSample(logs, &benchmath.DefaultThresholds), ratioConfidence)
	r := ratio{math.Exp(s.Center), math.Exp(s.Lo), math.Exp(s.Hi), len(logs)}
	if math.IsNaN(r.Low) || math.IsInf(r.High, 0) || math.IsNaN(r.High) {
		return ratio{}
	}
	return r
}

// What is compared of a round.
func p50(r harness.Round) float64 { return r.P50 }

func cpuPerOp(r harness.Round) float64 {
	return float64(r.Usage.CPU) / float64(max(r.CostOperations, 1))
}

func timePerOp(r harness.Round) float64 {
	return float64(r.Elapsed) / float64(max(r.Operations, 1))
}

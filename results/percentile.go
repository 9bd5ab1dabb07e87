package results

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// tailSamples is how many samples must lie beyond a percentile before it is
// printed. With ten, the rank of the true percentile is known to about a third
// (one standard deviation of a count of ten is 3.2); with fewer, the figure
// is the story of one or two operations.
const tailSamples = 10

// percentile is one figure of a Latency.
type percentile struct {
	name   string
	beyond float64 // the share of the sample that lies beyond it
	of     func(*Latency) **float64
}

var (
	p50   = percentile{"p50", 0.5, func(l *Latency) **float64 { return &l.P50 }}
	p90   = percentile{"p90", 0.1, func(l *Latency) **float64 { return &l.P90 }}
	p99   = percentile{"p99", 0.01, func(l *Latency) **float64 { return &l.P99 }}
	p999  = percentile{"p99.9", 0.001, func(l *Latency) **float64 { return &l.P999 }}
	p9999 = percentile{"p99.99", 0.0001, func(l *Latency) **float64 { return &l.P9999 }}
)

// needs is the size of the sample from which on the percentile is supported.
func (p percentile) needs() int64 { return int64(tailSamples/p.beyond + 0.5) }

// supported is the value where so many samples support it, and else 0.
func (p percentile) supported(value float64, samples uint64) float64 {
	if samples < uint64(p.needs()) {
		return 0
	}
	return value
}

// latencyOf is the latency of all operations of a histogram: minimum, mean and
// maximum always, each percentile where the sample supports it. An empty or
// absent histogram has none.
func latencyOf(h *hdrhistogram.Histogram) Latency {
	var l Latency
	if h == nil || h.TotalCount() == 0 {
		return l
	}
	l.Min, l.Mean, l.Max = new(float64(h.Min())), new(h.Mean()), new(float64(h.Max()))
	for _, p := range []percentile{p50, p90, p99, p999, p9999} {
		if h.TotalCount() >= p.needs() {
			*p.of(&l) = new(float64(h.ValueAtPercentile(100 * (1 - p.beyond))))
		}
	}
	return l
}

// unsupported says which of the percentiles up to p99 the sample cannot
// support, or is empty.
func unsupported(samples int64) string {
	for _, p := range []percentile{p50, p90, p99} {
		if samples < p.needs() {
			return fmt.Sprintf("too few operations for %s, which takes %d", p.name, p.needs())
		}
	}
	return ""
}

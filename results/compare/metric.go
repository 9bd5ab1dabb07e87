package compare

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// kind is how a metric is judged.
type kind int

const (
	// ranked metrics vary, and are tested.
	ranked kind = iota
	// exact metrics are counts: any worsening is one.
	exact
	// calls are system calls an operation: adaptive waits make them vary
	// a little, so that only half a call or more in every generation counts.
	calls
)

// moreCalls is the rise in system calls an operation that counts.
const moreCalls = 0.5

type metric struct {
	name string
	kind kind
	// up: more is better.
	up bool
	// threshold is the least change that counts, as a share.
	threshold float64
}

// metrics in the order of output. Tails vary more than medians and get the wider
// thresholds.
var metrics = []metric{
	{name: "p50", threshold: 0.05},
	{name: "p90", threshold: 0.10},
	{name: "p99", threshold: 0.20},
	{name: "throughput", up: true, threshold: 0.05},
	{name: "request_copies", kind: exact},
	{name: "reply_copies", kind: exact},
	{name: "allocations", kind: exact},
	{name: "allocated_bytes", kind: exact},
	{name: "syscalls", kind: calls},
}

// Thresholds is the least change that counts, as a share, by the name of a
// metric.
type Thresholds map[string]float64

// DefaultThresholds are 5 % for p50 and throughput, 10 % for p90 and 20 % for
// p99.
func DefaultThresholds() Thresholds {
	t := Thresholds{}
	for _, m := range metrics {
		if m.kind == ranked {
			t[m.name] = m.threshold
		}
	}
	return t
}

// ParseThresholds reads "5%", for all tested metrics, and "p99=10%", for one;
// later entries overrule earlier ones.
func ParseThresholds(list []string) (Thresholds, error) {
	t := DefaultThresholds()
	for _, entry := range list {
		name, value, one := strings.Cut(entry, "=")
		if !one {
			name, value = "", entry
		}
		digits, isPercent := strings.CutSuffix(strings.TrimSpace(value), "%")
		percent, err := strconv.ParseFloat(digits, 64)
		if err != nil || !isPercent || !(percent > 0 && percent <= 1000) {
			return nil, fmt.Errorf("threshold %q: a percentage is needed, such as 5%% or p99=10%%", entry)
		}
		if _, known := t[name]; one && !known {
			return nil, fmt.Errorf("threshold %q: no metric %q (have %s)", entry, name,
				strings.Join(slices.Sorted(maps.Keys(t)), ", "))
		}
		for metric := range t {
			if !one || metric == name {
				t[metric] = percent / 100
			}
		}
	}
	return t, nil
}

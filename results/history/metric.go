package history

import (
	"fmt"
	"strconv"
	"strings"

	"ipcbench/results"
)

// metric is a figure of a cell.
type metric struct {
	name, unit string
	of         func(*results.Cell) *float64
	text       func(float64) string
}

var metrics = []metric{
	{"p50", "ns", func(c *results.Cell) *float64 { return c.Latency.P50 }, results.Duration},
	{"p90", "ns", func(c *results.Cell) *float64 { return c.Latency.P90 }, results.Duration},
	{"p99", "ns", func(c *results.Cell) *float64 { return c.Latency.P99 }, results.Duration},
	{"p99.9", "ns", func(c *results.Cell) *float64 { return c.Latency.P999 }, results.Duration},
	{"throughput", "1/s", func(c *results.Cell) *float64 { return &c.OperationsPerSecond }, perSecond},
	{"floor_ratio", "", func(c *results.Cell) *float64 { return nonzero(c.FloorRatio) }, plainFigure},
	{"request_copies", "", func(c *results.Cell) *float64 { return c.Copies.Request }, plainFigure},
	{"reply_copies", "", func(c *results.Cell) *float64 { return c.Copies.Reply }, plainFigure},
	{"syscalls", "1/op", func(c *results.Cell) *float64 { return &c.SyscallsPerOp }, plainFigure},
	{"context_switches", "1/op", func(c *results.Cell) *float64 { return &c.ContextSwitchesPerOp }, plainFigure},
	{"cpu", "ns/op", func(c *results.Cell) *float64 { return &c.CPUNSPerOp }, results.Duration},
}

// Metrics are the names of all metrics, the default first.
func Metrics() (names []string) {
	for _, m := range metrics {
		names = append(names, m.name)
	}
	return names
}

func lookupMetric(name string) (metric, error) {
	for _, m := range metrics {
		if m.name == name {
			return m, nil
		}
	}
	return metric{}, fmt.Errorf("unknown metric %q (have %s)", name, strings.Join(Metrics(), ", "))
}

// nonzero is a figure that is absent where it is 0.
func nonzero(f float64) *float64 {
	if f == 0 {
		return nil
	}
	return &f
}

func perSecond(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) + "/s" }

func plainFigure(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) }

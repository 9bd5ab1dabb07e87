package results

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// What services that keep the history of a project's benchmarks read.

// benchmarkEntry is an entry of github-action-benchmark's custom formats.
type benchmarkEntry struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	Range string  `json:"range,omitempty"`
}

// ActionSmaller writes the figures of which less is better, for the tool
// customSmallerIsBetter of github-action-benchmark.
func ActionSmaller(w io.Writer, r *Result) error {
	entries := []benchmarkEntry{}
	for i := range r.Cells {
		c := &r.Cells[i]
		name := plain(string(goName(c)))
		if c.Latency.P50 != nil {
			e := benchmarkEntry{Name: name + " p50", Unit: "ns", Value: *c.Latency.P50}
			if c.Latency.P50CI != nil {
				e.Range = "± " + percent(halfWidth(c.Latency))
			}
			entries = append(entries, e)
		}
		if c.Latency.P99 != nil {
			entries = append(entries, benchmarkEntry{Name: name + " p99", Unit: "ns", Value: *c.Latency.P99})
		}
		entries = append(entries, benchmarkEntry{Name: name + " copies", Unit: "B/op", Value: c.Copies.BytesPerOp},
			benchmarkEntry{Name: name + " syscalls", Unit: "calls/op", Value: c.SyscallsPerOp})
	}
	return writeJSON(w, entries)
}

// ActionBigger writes the figures of which more is better, for the tool
// customBiggerIsBetter of github-action-benchmark.
func ActionBigger(w io.Writer, r *Result) error {
	entries := []benchmarkEntry{}
	for i := range r.Cells {
		c := &r.Cells[i]
		entries = append(entries, benchmarkEntry{Name: plain(string(goName(c))) + " throughput", Unit: "op/s", Value: c.OperationsPerSecond})
	}
	return writeJSON(w, entries)
}

// bencherMeasure is one measure of Bencher Metric Format.
type bencherMeasure struct {
	Value float64  `json:"value"`
	Lower *float64 `json:"lower_value,omitempty"`
	Upper *float64 `json:"upper_value,omitempty"`
}

// Bencher writes Bencher Metric Format: latency in nanoseconds, throughput in
// operations a second, both with the names that Bencher has for them.
func Bencher(w io.Writer, r *Result) error {
	all := map[string]map[string]bencherMeasure{}
	for i := range r.Cells {
		c := &r.Cells[i]
		measures := map[string]bencherMeasure{
			"throughput": {Value: c.OperationsPerSecond},
			"copies":     {Value: c.Copies.BytesPerOp},
			"syscalls":   {Value: c.SyscallsPerOp},
		}
		if c.Latency.P50 != nil {
			m := bencherMeasure{Value: *c.Latency.P50}
			if ci := c.Latency.P50CI; ci != nil {
				m.Lower, m.Upper = &ci[0], &ci[1]
			}
			measures["latency"] = m
		}
		all[plain(string(goName(c)))] = measures
	}
	return writeJSON(w, all)
}

func writeJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// family is a metric of the OpenMetrics text format.
type family struct {
	name, unit, help string
	// of is the gauges of a cell: labels beside the cell's own, and values
	// in base units.
	of func(c *Cell) []gauge
}

type gauge struct {
	label string
	value float64
}

var families = []family{
	{"ipcbench_latency_seconds", "seconds", "Round trip latency.", func(c *Cell) (out []gauge) {
		for _, q := range []struct {
			quantile string
			ns       *float64
		}{{"0.5", c.Latency.P50}, {"0.9", c.Latency.P90}, {"0.99", c.Latency.P99}, {"0.999", c.Latency.P999}} {
			if q.ns != nil {
				out = append(out, gauge{`,quantile="` + q.quantile + `"`, *q.ns / 1e9})
			}
		}
		return out
	}},
	{"ipcbench_operations_per_second", "", "Operations a second.",
		func(c *Cell) []gauge { return []gauge{{"", c.OperationsPerSecond}} }},
	{"ipcbench_copied_bytes_per_operation", "", "Payload bytes copied an operation.",
		func(c *Cell) []gauge { return []gauge{{"", c.Copies.BytesPerOp}} }},
	{"ipcbench_syscalls_per_operation", "", "System calls an operation.",
		func(c *Cell) []gauge { return []gauge{{"", c.SyscallsPerOp}} }},
	{"ipcbench_cpu_seconds_per_operation", "", "CPU time an operation, all processes.",
		func(c *Cell) []gauge { return []gauge{{"", c.CPUNSPerOp / 1e9}} }},
}

// OpenMetrics writes the OpenMetrics text format: gauges in base units, a family
// a metric, a cell's key as labels.
func OpenMetrics(w io.Writer, r *Result) error {
	t := &textReport{w: w}
	for _, f := range families {
		t.line("# TYPE " + f.name + " gauge")
		if f.unit != "" {
			t.line("# UNIT " + f.name + " " + f.unit)
		}
		t.line("# HELP " + f.name + " " + f.help)
		for i := range r.Cells {
			c := &r.Cells[i]
			for _, s := range f.of(c) {
				t.line(f.name + "{" + labels(c) + s.label + "} " + strconv.FormatFloat(s.value, 'g', -1, 64))
			}
		}
	}
	t.line("# EOF")
	return t.err
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func labels(c *Cell) string {
	quote := func(s string) string { return `"` + labelEscapes.Replace(plain(s)) + `"` }
	return fmt.Sprintf(`transport=%s,variant=%s,workload=%s,request_bytes="%d",reply_bytes="%d",clients="%d",wait=%s,placement=%s`,
		quote(c.Transport), quote(c.Variant), quote(c.Workload), c.RequestBytes, c.ReplyBytes, c.Clients, quote(c.Wait), quote(c.Placement))
}

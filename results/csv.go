package results

import (
	"encoding/csv"
	"io"
	"strconv"
)

// csvColumn is a column of the CSV format.
type csvColumn struct {
	name string
	of   func(*Cell) string
}

// csvColumns in their order. Scripts hold on to it: columns are added at the
// end and never change their names.
var csvColumns = []csvColumn{
	{"transport", func(c *Cell) string { return c.Transport }},
	{"variant", func(c *Cell) string { return c.Variant }},
	{"workload", func(c *Cell) string { return c.Workload }},
	{"request_bytes", func(c *Cell) string { return strconv.Itoa(c.RequestBytes) }},
	{"reply_bytes", func(c *Cell) string { return strconv.Itoa(c.ReplyBytes) }},
	{"clients", func(c *Cell) string { return strconv.Itoa(c.Clients) }},
	{"wait", func(c *Cell) string { return c.Wait }},
	{"placement", func(c *Cell) string { return c.Placement }},
	{"rounds", func(c *Cell) string { return strconv.Itoa(c.Rounds) }},
	{"operations", func(c *Cell) string { return strconv.FormatUint(c.Operations, 10) }},
	{"verified_operations", func(c *Cell) string { return strconv.FormatUint(c.VerifiedOperations, 10) }},
	{"errors", func(c *Cell) string { return strconv.Itoa(len(c.Errors)) }},
	{"warnings", func(c *Cell) string { return strconv.Itoa(len(c.Warnings)) }},
	{"min_ns", func(c *Cell) string { return optionalFigure(c.Latency.Min) }},
	{"mean_ns", func(c *Cell) string { return optionalFigure(c.Latency.Mean) }},
	{"p50_ns", func(c *Cell) string { return optionalFigure(c.Latency.P50) }},
	{"p90_ns", func(c *Cell) string { return optionalFigure(c.Latency.P90) }},
	{"p99_ns", func(c *Cell) string { return optionalFigure(c.Latency.P99) }},
	{"p99.9_ns", func(c *Cell) string { return optionalFigure(c.Latency.P999) }},
	{"p99.99_ns", func(c *Cell) string { return optionalFigure(c.Latency.P9999) }},
	{"max_ns", func(c *Cell) string { return optionalFigure(c.Latency.Max) }},
	{"p50_ci_low_ns", func(c *Cell) string { return intervalEnd(c.Latency.P50CI, 0) }},
	{"p50_ci_high_ns", func(c *Cell) string { return intervalEnd(c.Latency.P50CI, 1) }},
	{"operations_per_second", func(c *Cell) string { return figure(c.OperationsPerSecond) }},
	{"payload_bytes_per_second", func(c *Cell) string { return figure(c.PayloadBytesPerSecond) }},
	{"floor_ratio", func(c *Cell) string { return nonZero(c.FloorRatio) }},
	{"request_copies", func(c *Cell) string { return optionalFigure(c.Copies.Request) }},
	{"reply_copies", func(c *Cell) string { return optionalFigure(c.Copies.Reply) }},
	{"copied_bytes_per_op", func(c *Cell) string { return figure(c.Copies.BytesPerOp) }},
	{"header_bytes_per_op", func(c *Cell) string { return figure(c.Copies.HeaderBytesPerOp) }},
	{"syscalls_per_op", func(c *Cell) string { return figure(c.SyscallsPerOp) }},
	{"context_switches_per_op", func(c *Cell) string { return figure(c.ContextSwitchesPerOp) }},
	{"page_faults_per_op", func(c *Cell) string { return figure(c.PageFaultsPerOp) }},
	{"cpu_ns_per_op", func(c *Cell) string { return figure(c.CPUNSPerOp) }},
	{"missed_per_op", func(c *Cell) string { return figure(c.MissedPerOp) }},
}

// CSV writes one row a cell under a header that stays as it is. A figure that
// is absent is an empty field.
func CSV(w io.Writer, r *Result) error {
	out := csv.NewWriter(w)
	row := make([]string, len(csvColumns))
	for i, column := range csvColumns {
		row[i] = column.name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for i := range r.Cells {
		for j, column := range csvColumns {
			row[j] = column.of(&r.Cells[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// figure in the shortest form that reads back as the same number.
func figure(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

func optionalFigure(f *float64) string {
	if f == nil {
		return ""
	}
	return figure(*f)
}

func nonZero(f float64) string {
	if f == 0 {
		return ""
	}
	return figure(f)
}

func intervalEnd(ci *[2]float64, i int) string {
	if ci == nil {
		return ""
	}
	return figure(ci[i])
}

package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"ipcbench/harness"
	"ipcbench/results"
)

// Format is a way to write a comparison.
type Format struct {
	Name, Summary string
	Render        func(io.Writer, *Comparison) error
}

// Formats lists all formats, the default first.
var Formats = []Format{
	{"table", "aligned text", Table},
	{"markdown", "Markdown, for the summary of a CI job", Markdown},
	{"json", "everything", JSON},
}

// LookupFormat finds a format by its name, or wraps results.ErrUnknownFormat.
func LookupFormat(name string) (Format, error) {
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("%w %q of a comparison (have %s)", results.ErrUnknownFormat, name, FormatNames())
}

// FormatNames is the names of all formats, for messages.
func FormatNames() string {
	var names []string
	for _, f := range Formats {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// JSON writes the whole comparison.
func JSON(w io.Writer, c *Comparison) error {
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// Table writes what changed or could not be decided, and counts the rest.
func Table(w io.Writer, c *Comparison) error {
	if header, rows := c.table(); len(rows) > 0 {
		if err := results.TextTable(w, header, rows); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	for _, line := range append(c.notes(), c.summary()) {
		if _, err := fmt.Fprintln(w, results.WrapPlain(line, "  ")); err != nil {
			return err
		}
	}
	return nil
}

// Markdown writes what Table does.
func Markdown(w io.Writer, c *Comparison) error {
	if _, err := fmt.Fprintf(w, "## IPC benchmark: %s\n\n%s\n\n", c.Verdict, results.PlainMarkdown(c.summary())); err != nil {
		return err
	}
	if header, rows := c.table(); len(rows) > 0 {
		if err := results.MarkdownTable(w, header, rows); err != nil {
			return err
		}
	}
	for _, note := range c.notes() {
		if _, err := fmt.Fprintf(w, "\n- %s\n", results.PlainMarkdown(note)); err != nil {
			return err
		}
	}
	return nil
}

// nameWidth is the room for a cell's name in a table of 100 columns.
const nameWidth = 30

// table has the cells that are not the same. What all cells of the comparison
// share is left out of their names; see shared.
func (c *Comparison) table() (header []string, rows [][]string) {
	same := c.shared()
	for i := range c.Cells {
		if cell := &c.Cells[i]; cell.Verdict != Same {
			rows = append(rows, []string{results.Clip(same.Name(cell.Key), nameWidth), cell.Metric, figure(cell.Metric, cell.Old), figure(cell.Metric, cell.New),
				signed(cell.Change), significance(cell.P), string(cell.Verdict)})
		}
	}
	return []string{"cell", "metric", "old", "new", "change", "p", "verdict"}, rows
}

// shared is what all cells have in common.
func (c *Comparison) shared() results.Shared {
	keys := make([]harness.Key, len(c.Cells))
	for i := range c.Cells {
		keys[i] = c.Cells[i].Key
	}
	return results.SharedBy(keys)
}

// signed is a change in per cent; of more than a thousandfold only that it is.
func signed(share float64) string {
	if share > 999 {
		return ">1000×"
	}
	return fmt.Sprintf("%+.1f%%", 100*share)
}

func significance(p *float64) string {
	if p == nil {
		return "counted"
	}
	return strconv.FormatFloat(*p, 'f', 3, 64)
}

func figure(metric string, v float64) string {
	switch metric {
	case "p50", "p90", "p99":
		return results.Duration(v)
	case "throughput":
		return strconv.FormatFloat(v, 'f', 0, 64) + "/s"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// notes are the warnings, and why some cells could not be decided.
func (c *Comparison) notes() (lines []string) {
	if common := c.shared().String(); common != "" {
		lines = append(lines, "all cells: "+common)
	}
	for _, warning := range c.Warnings {
		lines = append(lines, "warning: "+warning)
	}
	reasons := map[string]int{}
	for i := range c.Cells {
		if reason := c.Cells[i].Reason; reason != "" {
			if reasons[reason]++; reasons[reason] == 1 {
				lines = append(lines, "inconclusive: "+reason)
			}
		}
	}
	return lines
}

// summary is the outcome in a line.
func (c *Comparison) summary() string {
	return fmt.Sprintf("%s: of %d figures %d worse, %d better, %d same, %d inconclusive", c.Verdict, len(c.Cells),
		c.Count(Worse), c.Count(Better), c.Count(Same), c.Count(Inconclusive))
}

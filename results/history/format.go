package history

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ipcbench/results"
	"ipcbench/results/plot"
)

// Format is a way to write a history.
type Format struct {
	Name, Summary string
	Render        func(io.Writer, *History) error
}

// Formats lists all formats, the default first.
var Formats = []Format{
	{"table", "aligned text, at most 100 columns wide", Table},
	{"markdown", "Markdown; with -o, the plot is an SVG file beside it", Markdown},
	{"json", "everything", JSON},
	{"csv", "one row a cell and run", CSV},
	{"html", "one self-contained page with the plot", HTML},
	{"svg", "the plot alone", SVG},
}

// LookupFormat finds a format by its name, or wraps results.ErrUnknownFormat.
func LookupFormat(name string) (Format, error) {
	for _, f := range Formats {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("%w %q of a history (have %s)", results.ErrUnknownFormat, name, FormatNames())
}

// FormatNames is the names of all formats, for messages.
func FormatNames() string {
	var names []string
	for _, f := range Formats {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// JSON writes the whole history.
func JSON(w io.Writer, h *History) error {
	b, err := json.MarshalIndent(h, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// CSV writes one row a cell and run that has a value.
func CSV(w io.Writer, h *History) error {
	out := csv.NewWriter(w)
	err := out.Write([]string{"file", "time", "commit", "transport", "variant", "workload", "request_bytes", "reply_bytes",
		"clients", "wait", "placement", "metric", "unit", "value"})
	for i := range h.Cells {
		c := &h.Cells[i]
		for j, v := range c.Values {
			if v == nil {
				continue
			}
			r := h.Runs[j]
			err = errors.Join(err, out.Write([]string{r.File, r.Time.Format(time.RFC3339), r.Commit, c.Transport, c.Variant, c.Workload,
				strconv.Itoa(c.RequestBytes), strconv.Itoa(c.ReplyBytes), strconv.Itoa(c.Clients), c.Wait, c.Placement,
				h.Metric, h.Unit, strconv.FormatFloat(*v, 'g', -1, 64)}))
		}
	}
	out.Flush()
	return errors.Join(err, out.Error())
}

// Table writes the runs, and of each cell the first and the last value and the
// way between; of a single cell every value.
func Table(w io.Writer, h *History) error {
	if _, err := fmt.Fprintf(w, "%s\n\n", results.Plain(h.title())); err != nil {
		return err
	}
	header, rows := h.table()
	if err := results.TextTable(w, header, rows); err != nil {
		return err
	}
	for _, line := range append([]string{""}, h.notes()...) {
		if _, err := fmt.Fprintln(w, results.WrapPlain(line, "  ")); err != nil {
			return err
		}
	}
	return nil
}

// Markdown writes what Table does, with the plot where w is a
// results.Companion.
func Markdown(w io.Writer, h *History) error {
	if _, err := fmt.Fprintf(w, "# %s\n\n", results.PlainMarkdown(h.title())); err != nil {
		return err
	}
	if err := h.embed(w); err != nil {
		return err
	}
	header, rows := h.table()
	if err := results.MarkdownTable(w, header, rows); err != nil {
		return err
	}
	for _, line := range h.notes() {
		if _, err := fmt.Fprintf(w, "\n- %s\n", results.PlainMarkdown(line)); err != nil {
			return err
		}
	}
	return nil
}

func (h *History) embed(w io.Writer) error {
	beside, ok := w.(results.Companion)
	d := h.draw()
	if !ok || d == nil {
		return nil
	}
	file, name, err := beside.Beside("-" + h.Metric + ".svg")
	if err != nil || file == nil {
		return err
	}
	if err := d.WriteSVG(file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "![%s](%s)\n\n", results.PlainMarkdown(d.Title), url.PathEscape(name))
	return err
}

// HTML writes the plot, what Table does, and nothing that has to be loaded.
func HTML(w io.Writer, h *History) error {
	header, rows := h.table()
	return results.PlotPage(w, h.title(), h.draw(), header, rows, h.notes())
}

// errNoPlot reports values that have no place in a plot.
var errNoPlot = errors.New("there is nothing to draw")

// SVG writes the plot.
func SVG(w io.Writer, h *History) error {
	if d := h.draw(); d != nil {
		return d.WriteSVG(w)
	}
	return errNoPlot
}

func (h *History) title() string { return fmt.Sprintf("%s over %d results", h.Metric, len(h.Runs)) }

func (h *History) table() (header []string, rows [][]string) {
	if len(h.Cells) == 1 {
		return h.valuesTable(&h.Cells[0])
	}
	shared := h.shared()
	for i := range h.Cells {
		c := &h.Cells[i]
		first, last, n := c.span()
		rows = append(rows, []string{results.Clip(c.name(shared), 42), strconv.Itoa(n), h.metric.text(first), h.metric.text(last),
			sinceFirst(first, last, n), c.trend()})
	}
	return []string{"cell", "runs", "first", "last", "change", "trend"}, rows
}

// valuesTable has the values of one cell, a row a run.
func (h *History) valuesTable(c *Cell) (header []string, rows [][]string) {
	first, _, n := c.span()
	for i, v := range c.Values {
		r := h.Runs[i]
		row := []string{r.Time.UTC().Format(time.DateTime), results.Clip(r.Commit, 10), results.Clip(r.File, 32), none, none}
		if v != nil {
			row[3], row[4] = h.metric.text(*v), sinceFirst(first, *v, n)
		}
		rows = append(rows, row)
	}
	return []string{"time (UTC)", "commit", "file", h.Metric, "since the first"}, rows
}

// none stands where there is no figure.
const none = "–"

// sinceFirst is how far a value is from the first of n.
func sinceFirst(first, now float64, n int) string {
	if first == 0 || n < 2 {
		return none
	}
	return fmt.Sprintf("%+.1f%%", 100*(now/first-1))
}

// notes say what is shown, where conditions changed, and what was left out.
func (h *History) notes() (lines []string) {
	if len(h.Cells) == 1 {
		lines = append(lines, "cell: "+h.Cells[0].name(h.shared()))
	}
	if common := h.shared().String(); common != "" {
		lines = append(lines, "all cells: "+common)
	}
	first, last := h.Runs[0], h.Runs[len(h.Runs)-1]
	lines = append(lines, fmt.Sprintf("from %s (%s) to %s (%s)", first.Time.UTC().Format(time.DateTime), first.File,
		last.Time.UTC().Format(time.DateTime), last.File))
	for _, r := range h.Runs {
		for _, what := range r.Changed {
			lines = append(lines, "warning: before "+r.File+" changed: "+what)
		}
	}
	for _, text := range h.Warnings {
		lines = append(lines, "warning: "+text)
	}
	return lines
}

// wideSpan is the ratio of the largest value to the smallest from which the
// axis is logarithmic.
const wideSpan = 20

func (h *History) draw() *plot.Drawing {
	c := plot.Chart{Title: h.title(), Y: plot.Axis{Label: h.Metric, Text: func(v float64) string { return results.Trimmed(h.metric.text(v)) }}}
	first, last := h.Runs[0].Time, h.Runs[len(h.Runs)-1].Time
	c.X = plot.Axis{Label: "run, from " + first.UTC().Format(time.DateOnly) + " to " + last.UTC().Format(time.DateOnly), AtPoints: true}
	low, high := math.Inf(1), 0.0
	shared := h.shared()
	for i := range h.Cells {
		s := plot.Series{Name: h.Cells[i].name(shared), Style: i}
		for run, v := range h.Cells[i].Values {
			if v != nil {
				s.Points = append(s.Points, plot.Point{X: float64(run + 1), Y: *v})
				low, high = min(low, *v), max(high, *v)
			}
		}
		c.Series = append(c.Series, s)
	}
	c.Y.Log = low > 0 && high > wideSpan*low
	return c.Draw()
}

package results

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// textWidth is the columns that Table keeps to.
const textWidth = 100

// columnGap stands between columns.
const columnGap = "  "

// Table writes aligned text: a table a group, and below them the floors, what
// was skipped, the warnings, and which rows differ.
func Table(w io.Writer, r *Result) error {
	t := &textReport{w: w}
	t.line(clip(r.machine(), textWidth))
	for _, g := range r.groups() {
		t.heading(g.title())
		t.table(g.header(), g.rows())
	}
	if header, rows := r.otherFloors(); len(rows) > 0 {
		t.heading("what this machine allows")
		t.table(header, rows)
	}
	t.list("skipped", r.skips())
	t.list("warnings", r.remarks())
	if rankings := r.rankings(); len(rankings) > 0 {
		t.list("which rows differ", append(rankings, rankingHelp))
	}
	return t.err
}

// textReport writes lines until the first error, which it keeps.
type textReport struct {
	w   io.Writer
	err error
}

func (t *textReport) line(s string) {
	if t.err == nil {
		_, t.err = fmt.Fprintln(t.w, s)
	}
}

func (t *textReport) heading(s string) {
	t.line("")
	t.line(clip(s, textWidth))
}

func (t *textReport) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	t.heading(title)
	for _, item := range items {
		for i, line := range wrap(item, textWidth-4) {
			t.line([]string{"  - ", "    "}[min(i, 1)] + line)
		}
	}
}

func (t *textReport) table(header []string, rows [][]string) {
	t.filled(figures, header, rows)
}

// texts is a table of texts, which are wrapped where they are too long for a line.
func (t *textReport) texts(header []string, rows [][]string) {
	t.filled(wrapped, header, rows)
}

func (t *textReport) filled(style style, header []string, rows [][]string) {
	if t.err != nil {
		return
	}
	var text bytes.Buffer
	table := tablewriter.NewTable(&text,
		tablewriter.WithRenderer(renderer.NewBlueprint()),
		tablewriter.WithRendition(tw.Rendition{
			Borders: tw.BorderNone,
			Symbols: tw.NewSymbols(tw.StyleLight),
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
				Lines:      tw.Lines{ShowHeaderLine: tw.On},
			},
		}),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: columnGap, Overwrite: true}),
	)
	t.err = fill(table, style, header, rows)
	for line := range strings.Lines(text.String()) {
		t.line(strings.TrimRight(line, " \n"))
	}
}

// style is what the columns of a table hold.
type style int

const (
	// figures, behind a first column of names, on one line each.
	figures style = iota
	// texts, on one line each.
	texts
	// wrapped texts, so that the table keeps to textWidth.
	wrapped
)

// fill renders a table.
func fill(table *tablewriter.Table, style style, header []string, rows [][]string) error {
	align := make(tw.Alignment, len(header))
	for i := range align {
		align[i] = tw.AlignLeft
		if style == figures && i > 0 {
			align[i] = tw.AlignRight
		}
	}
	wrap := tw.WrapNone
	if style == wrapped {
		wrap = tw.WrapNormal
		fit := func(cell string) string { return breakable(cell, textWidth/len(header)-len(columnGap)) }
		header, rows = mapped([][]string{header}, fit)[0], mapped(rows, fit)
	}
	table.Configure(func(c *tablewriter.Config) {
		if style == wrapped {
			c.MaxWidth = textWidth
		}
		for _, part := range []*tw.CellConfig{&c.Header, &c.Row} {
			part.Formatting.AutoFormat = tw.Off
			part.Formatting.AutoWrap = wrap
			part.Alignment = tw.CellAlignment{Global: tw.AlignLeft, PerColumn: align}
		}
	})
	table.Header(header)
	if err := table.Bulk(rows); err != nil {
		return err
	}
	return table.Render()
}

// breakable has a space at least every width characters.
func breakable(text string, width int) string { return strings.Join(wrap(text, max(width, 1)), " ") }

// wrap breaks text into lines of at most width characters, at spaces where
// there are any.
func wrap(text string, width int) []string {
	var lines []string
	var line []rune
	for _, word := range strings.Fields(text) {
		for _, piece := range pieces([]rune(word), width) {
			if len(line) > 0 && len(line)+1+len(piece) > width {
				lines, line = append(lines, string(line)), nil
			}
			if len(line) > 0 {
				line = append(line, ' ')
			}
			line = append(line, piece...)
		}
	}
	return append(lines, string(line))
}

func pieces(word []rune, width int) (out [][]rune) {
	for len(word) > width {
		out, word = append(out, word[:width]), word[width:]
	}
	return append(out, word)
}

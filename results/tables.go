package results

import (
	"fmt"
	"io"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"

	"ipcbench/harness"
)

// TextTable writes a table for a terminal: the first column is names, the others
// are figures. Cells are cleaned of what does not print.
func TextTable(w io.Writer, header []string, rows [][]string) error {
	t := &textReport{w: w}
	t.table(header, mapped(rows, plain))
	return t.err
}

// MarkdownTable writes the same in Markdown.
func MarkdownTable(w io.Writer, header []string, rows [][]string) error {
	table := tablewriter.NewTable(w, tablewriter.WithRenderer(renderer.NewMarkdown()))
	return fill(table, figures, header, mapped(rows, PlainMarkdown))
}

func mapped(rows [][]string, clean func(string) string) [][]string {
	out := make([][]string, len(rows))
	for i, row := range rows {
		for _, cell := range row {
			out[i] = append(out[i], clean(cell))
		}
	}
	return out
}

// Plain makes text from elsewhere fit for a terminal: one line of characters
// that print.
func Plain(s string) string { return plain(s) }

// PlainMarkdown makes text from elsewhere fit for Markdown.
func PlainMarkdown(s string) string { return escape(plain(s)) }

// Duration is a time given in nanoseconds, scaled, with its unit.
func Duration(ns float64) string { return seconds(ns) }

// Clip shortens text to n characters.
func Clip(s string, n int) string { return clip(s, n) }

// WrapPlain breaks text from elsewhere into lines that fit a table's width; those
// after the first begin with the indent.
func WrapPlain(s, indent string) string {
	return strings.Join(wrap(plain(s), textWidth-len(indent)), "\n"+indent)
}

// Describe names a cell on one line. A key without a workload is a benchmark of
// elsewhere, of which only the name is known.
func Describe(k harness.Key) string {
	if k.Workload == "" {
		return k.Transport
	}
	clients := ""
	if k.Clients != 1 {
		clients = fmt.Sprintf(", %d clients", k.Clients)
	}
	return fmt.Sprintf("%s %s %s (%s, %s%s)", k.Transport, k.Workload, payload(k), k.Wait, k.Placement, clients)
}

// Payload is the size of a cell's messages, or both sizes where they differ.
func Payload(requestBytes, replyBytes int) string {
	return payload(harness.Key{RequestBytes: requestBytes, ReplyBytes: replyBytes})
}

package results

import (
	"io"
	"net/url"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"

	"ipcbench/results/plot"
)

// Markdown writes what Table does, as Markdown. Where w is a Companion, plots are
// written as SVG files beside it and stand in the text.
func Markdown(w io.Writer, r *Result) error {
	m := &markdownReport{textReport{w: w}}
	m.line("# IPC benchmark")
	m.line("")
	m.line(escape(r.machine()))
	pictures := r.pictures()
	m.pictures(pictures, func(p picture) bool { return p.kind != percentileCurves })
	for _, g := range r.groups() {
		m.heading(g.title())
		m.table(g.header(), g.rows())
		m.pictures(pictures, func(p picture) bool { return p.kind == percentileCurves && p.key == g.key })
	}
	if header, rows := r.otherFloors(); len(rows) > 0 {
		m.heading("What this machine allows")
		m.table(header, rows)
	}
	m.list("Skipped", r.skips())
	m.list("Warnings", r.remarks())
	if rankings := r.rankings(); len(rankings) > 0 {
		m.list("Which rows differ", rankings)
		m.line("")
		m.line(escape(rankingHelp))
	}
	return m.err
}

type markdownReport struct{ textReport }

func (m *markdownReport) heading(s string) {
	m.line("")
	m.line("## " + escape(s))
	m.line("")
}

// pictures embeds some of a result's pictures.
func (m *markdownReport) pictures(all []picture, wanted func(picture) bool) {
	for _, p := range all {
		if wanted(p) {
			m.embed(p.Drawing, p.slug)
		}
	}
}

// embed writes a drawing beside the report and shows it there; where the report
// is a stream there is no place for it.
func (m *markdownReport) embed(d *plot.Drawing, slug string) {
	beside, ok := m.w.(Companion)
	if !ok || d == nil || m.err != nil {
		return
	}
	w, name, err := beside.Beside("-" + slug + ".svg")
	if err != nil || w == nil {
		m.err = err
		return
	}
	m.err = d.WriteSVG(w)
	m.line("")
	m.line("![" + escape(d.Title) + "](" + url.PathEscape(name) + ")")
}

func (m *markdownReport) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	m.heading(title)
	for _, item := range items {
		m.line("- " + escape(item))
	}
}

func (m *markdownReport) table(header []string, rows [][]string) { m.filled(figures, header, rows) }

func (m *markdownReport) texts(header []string, rows [][]string) { m.filled(texts, header, rows) }

func (m *markdownReport) filled(style style, header []string, rows [][]string) {
	if m.err != nil {
		return
	}
	header, rows = mapped([][]string{header}, escape)[0], mapped(rows, escape)
	m.err = fill(tablewriter.NewTable(m.w, tablewriter.WithRenderer(renderer.NewMarkdown())), style, header, rows)
}

// markdownEscapes are the characters that would end a cell or begin markup.
var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;")

func escape(s string) string { return markdownEscapes.Replace(s) }

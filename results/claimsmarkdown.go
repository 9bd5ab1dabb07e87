package results

import (
	"io"

	"ipcbench/harness/claims"
)

const claimsTitle = "What is said of Binder, and what was found"

// ClaimsMarkdown writes what ClaimsTable does, as Markdown. Where w is a
// Companion, the pictures are written as SVG files beside it.
func ClaimsMarkdown(w io.Writer, r *claims.Report) error {
	m := &markdownReport{textReport{w: w}}
	m.line("# " + claimsTitle)
	m.line("")
	m.overview(r)
	for i := range r.Claims {
		o := &r.Claims[i]
		m.heading(plain(o.ID + ": " + string(o.Verdict)))
		m.line(PlainMarkdown(o.Statement) + " (" + PlainMarkdown(o.Source) + ")")
		m.line("")
		m.line("Would refute it: " + PlainMarkdown(o.Refutation))
		m.line("")
		m.line("Experiment: " + PlainMarkdown(o.Experiment))
		m.line("")
		m.columns(o)
		for _, d := range claimDrawings(o) {
			m.embed(d.Drawing, d.slug)
		}
	}
	if r.Incomplete != "" {
		m.heading("Incomplete")
		m.line(PlainMarkdown(r.Incomplete))
	}
	return m.err
}

// overview is the machines, and all verdicts.
func (m *markdownReport) overview(r *claims.Report) {
	for _, machine := range claimMachines(r) {
		m.line(escape(machine))
		m.line("")
	}
	m.texts(claimsOverview(r))
}

// columns of a claim, as a list.
func (m *markdownReport) columns(o *claims.Outcome) {
	for _, name := range o.Order {
		c := o.Columns[name]
		m.line("- **" + PlainMarkdown(name) + ": " + PlainMarkdown(standing(c.Verdict, c.When)) + ".** " + PlainMarkdown(restsOn(c)))
	}
	for _, table := range o.Tables {
		m.line("")
		m.line(PlainMarkdown(table.Title))
		m.line("")
		m.texts(plainTable(table))
	}
}

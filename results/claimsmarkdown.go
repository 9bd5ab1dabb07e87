package results

import (
	"io"

	"ipcbench/harness/claims"
)

// ClaimsMarkdown writes what ClaimsTable does, as Markdown.
func ClaimsMarkdown(w io.Writer, r *claims.Report) error {
	m := &markdownReport{textReport{w: w}}
	m.line("# What is said of Binder, and what was found")
	m.line("")
	m.line(escape(machine(r.Environment)))
	m.line("")
	m.table(claimsOverview(r))
	for i := range r.Claims {
		m.claim(&r.Claims[i])
	}
	if r.Incomplete != "" {
		m.heading("Incomplete")
		m.line(PlainMarkdown(r.Incomplete))
	}
	return m.err
}

func (m *markdownReport) claim(o *claims.Outcome) {
	m.heading(PlainMarkdown(o.ID + ": " + standing(o.Verdict, o.When)))
	m.line(PlainMarkdown(o.Statement) + " (" + PlainMarkdown(o.Source) + ")")
	m.line("")
	m.line("Would refute it: " + PlainMarkdown(o.Refutation))
	m.line("")
	m.line("Experiment: " + PlainMarkdown(o.Experiment))
	m.line("")
	for _, name := range o.Order {
		m.line("- " + PlainMarkdown(columnText(name, o.Columns[name])))
	}
}

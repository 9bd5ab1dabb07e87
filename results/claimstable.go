package results

import (
	"io"
	"strings"

	"ipcbench/harness/claims"
)

// ClaimsTable writes an overview, a row a claim and a column a subject, and then
// what each verdict rests on.
func ClaimsTable(w io.Writer, r *claims.Report) error {
	t := &textReport{w: w}
	for _, machine := range claimMachines(r) {
		t.line(clip(machine, textWidth))
	}
	t.heading("verdicts")
	t.texts(claimsOverview(r))
	for i := range r.Claims {
		o := &r.Claims[i]
		t.heading(plain(o.ID) + "  " + string(o.Verdict))
		t.paragraph("  ", o.Statement+" ("+o.Source+")")
		t.paragraph("  ", "Would refute it: "+o.Refutation)
		for _, name := range o.Order {
			c := o.Columns[name]
			t.paragraph("  - ", columnText(name, c))
		}
		for _, table := range o.Tables {
			t.line("")
			t.paragraph("  ", table.Title)
			t.texts(plainTable(table))
		}
	}
	if r.Incomplete != "" {
		t.heading("incomplete: " + plain(r.Incomplete))
	}
	return t.err
}

// claimMachines are the machine of a report, and those that columns come from.
func claimMachines(r *claims.Report) []string {
	all := []string{machine(r.Environment)}
	for _, e := range r.Elsewhere {
		all = append(all, plain(e.Name)+": "+machine(e.Environment))
	}
	return all
}

// plainTable is a table's header and rows, fit to be shown.
func plainTable(t claims.Table) (header []string, rows [][]string) {
	return mapped([][]string{t.Header}, plain)[0], mapped(t.Rows, plain)
}

// paragraph writes wrapped text behind a mark.
func (t *textReport) paragraph(mark, text string) {
	for i, line := range wrap(plain(text), textWidth-len(mark)) {
		if i > 0 {
			mark = strings.Repeat(" ", len(mark))
		}
		t.line(mark + line)
	}
}

func columnText(name string, c claims.Column) string {
	return name + ": " + standing(c.Verdict, c.When) + ". " + restsOn(c)
}

// restsOn is what a column's verdict rests on.
func restsOn(c claims.Column) string {
	text := c.Evidence.Text
	if c.Confidence != "" {
		text += " (" + c.Confidence + ")"
	}
	return text
}

// claimsOverview has a row a claim: its verdict, then those of the subjects that
// most claims share.
func claimsOverview(r *claims.Report) (header []string, rows [][]string) {
	subjects := claimSubjects(r)
	header = mapped([][]string{append([]string{"claim", "verdict"}, subjects...)}, plain)[0]
	for i := range r.Claims {
		o := &r.Claims[i]
		row := []string{plain(o.ID), string(o.Verdict)}
		for _, name := range subjects {
			verdict := none
			if c, have := o.Columns[name]; have {
				verdict = string(c.Verdict)
			}
			row = append(row, verdict)
		}
		rows = append(rows, row)
	}
	return header, rows
}

// claimSubjects are the Binder devices in the order in which they first stand.
func claimSubjects(r *claims.Report) (subjects []string) {
	seen := map[string]bool{}
	for i := range r.Claims {
		for _, name := range r.Claims[i].Order {
			if strings.HasPrefix(name, "binder") && !seen[name] {
				seen[name] = true
				subjects = append(subjects, name)
			}
		}
	}
	return subjects
}

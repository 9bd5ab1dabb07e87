package results

import (
	_ "embed"
	"html/template"
	"io"

	"ipcbench/harness/claims"
	"ipcbench/results/plot"
)

//go:embed claims.html
var claimsText string

var claimsPage = template.Must(template.New("claims").Funcs(template.FuncMap{
	"plain": plain, "plotCSS": func() template.CSS { return template.CSS(plot.CSS) },
}).Parse(claimsText))

// ClaimsHTML writes one self-contained page: the verdicts, what each rests on,
// and pictures as inline SVG with their figures as a table behind them.
func ClaimsHTML(w io.Writer, r *claims.Report) error {
	page := claimsReport{Report: r, Machine: machine(r.Environment)}
	page.Header, page.Rows = claimsOverview(r)
	for i := range r.Claims {
		o := &r.Claims[i]
		section := claimSection{Outcome: o, Drawings: claimDrawings(o)}
		for _, name := range o.Order {
			c := o.Columns[name]
			section.Lines = append(section.Lines, [3]string{name, standing(c.Verdict, c.When), restsOn(c)})
		}
		page.Sections = append(page.Sections, section)
	}
	return claimsPage.Execute(w, page)
}

type claimsReport struct {
	Report   *claims.Report
	Machine  string
	Header   []string
	Rows     [][]string
	Sections []claimSection
}

type claimSection struct {
	*claims.Outcome
	// Lines are a column's name, its verdict, and what that rests on.
	Lines    [][3]string
	Drawings []claimDrawing
}

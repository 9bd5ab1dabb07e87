package results

import (
	"io"

	"ipcbench/harness/claims"
)

// ClaimsHTML writes the page of claims without a result.
func ClaimsHTML(w io.Writer, r *claims.Report) error { return Page(w, nil, r) }

// htmlClaims is the section on claims of the page.
type htmlClaims struct {
	Title, Incomplete string
	Machines          []string
	Header            []string
	Rows              [][]string
	Sections          []claimSection
}

type claimSection struct {
	*claims.Outcome
	// Lines are a column's name, its verdict, and what that rests on.
	Lines [][3]string
	Plots []htmlPlot
}

func newHTMLClaims(r *claims.Report) *htmlClaims {
	h := &htmlClaims{Title: claimsTitle, Machines: claimMachines(r), Incomplete: plain(r.Incomplete)}
	h.Header, h.Rows = claimsOverview(r)
	for i := range r.Claims {
		o := &r.Claims[i]
		section := claimSection{Outcome: o}
		for _, name := range o.Order {
			c := o.Columns[name]
			section.Lines = append(section.Lines, [3]string{name, standing(c.Verdict, c.When), restsOn(c)})
		}
		for _, d := range claimDrawings(o) {
			section.Plots = append(section.Plots, htmlPlot{Drawing: d.Drawing, Size: -1})
		}
		h.Sections = append(h.Sections, section)
	}
	return h
}

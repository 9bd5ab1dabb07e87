package results

import (
	_ "embed"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"

	"ipcbench/harness/claims"
	"ipcbench/harness/env"
	"ipcbench/results/plot"
)

//go:embed report.html
var htmlText string

// htmlPage escapes every text by the place it stands in: names come from files
// of unknown origin.
var htmlPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"plain": plain, "size": size, "rankingHelp": func() string { return rankingHelp },
	"plotCSS": func() template.CSS { return template.CSS(plot.CSS) },
}).Parse(htmlText))

// HTML writes one self-contained page: plots as inline SVG, each with its
// figures as a table behind it, and filters. It loads nothing from anywhere.
func HTML(w io.Writer, r *Result) error { return Page(w, r, nil) }

// Page is HTML with what became of the claims. Either may be nil.
func Page(w io.Writer, r *Result, c *claims.Report) error {
	page := htmlReport{Title: "IPC benchmark"}
	if r != nil {
		page.show(r)
	}
	if c != nil {
		page.Claims = newHTMLClaims(c)
		if r == nil {
			page.Title = page.Claims.Title
			page.Machine, page.Environment = machine(c.Environment), facts(c.Environment)
		}
	}
	return htmlPage.Execute(w, page)
}

// PlotPage writes a page of one plot, which may be nil, its figures and notes on
// them.
func PlotPage(w io.Writer, title string, d *plot.Drawing, header []string, rows [][]string, notes []string) error {
	figures := htmlGroup{Header: header}
	for _, row := range mapped(rows, plain) {
		figures.Rows = append(figures.Rows, htmlRow{Transport: row[0], Cells: row})
	}
	page := htmlReport{Title: title, Groups: []htmlGroup{figures}, Notes: notes}
	if d != nil {
		page.Plots = []htmlPlot{{Drawing: d, Size: -1}}
	}
	return htmlPage.Execute(w, page)
}

type htmlReport struct {
	Title                    string
	Machine, Incomplete      string
	Transports, Waits        []string
	Sizes                    []int
	Plots                    []htmlPlot
	Claims                   *htmlClaims
	Groups                   []htmlGroup
	FloorHeader              []string
	FloorRows                [][]string
	Rankings, Remarks, Skips []string
	Notes                    []string
	Environment              [][2]string
}

func (page *htmlReport) show(r *Result) {
	page.Machine, page.Incomplete, page.Environment = r.machine(), plain(r.Incomplete), facts(r.Environment)
	page.Remarks, page.Skips, page.Rankings = r.remarks(), r.skips(), r.rankings()
	transports, sizes, waits := map[string]bool{}, map[int]bool{}, map[string]bool{}
	for _, g := range r.groups() {
		page.Groups = append(page.Groups, newHTMLGroup(g))
		waits[g.key.Wait] = true
		for _, c := range g.cells {
			transports[plain(c.Name())], sizes[c.payload()] = true, true
		}
	}
	page.Transports = slices.Sorted(maps.Keys(transports))
	page.Sizes = slices.Sorted(maps.Keys(sizes))
	page.Waits = slices.Sorted(maps.Keys(waits))
	page.FloorHeader, page.FloorRows = r.otherFloors()
	for _, p := range r.pictures() {
		page.Plots = append(page.Plots, newHTMLPlot(p))
	}
}

// htmlPlot is a plot with what the filters know it by; Size is -1 where it
// spans sizes.
type htmlPlot struct {
	*plot.Drawing
	Wait string
	Size int
}

func newHTMLPlot(p picture) htmlPlot {
	h := htmlPlot{p.Drawing, p.key.Wait, max(p.key.RequestBytes, p.key.ReplyBytes)}
	if p.spansSizes {
		h.Size = -1
	}
	return h
}

type htmlGroup struct {
	Title, Wait string
	Size        int
	Header      []string
	Rows        []htmlRow
}

// htmlRow is a row of a group with its name; a floor's has none to filter by.
type htmlRow struct {
	Transport string
	Cells     []string
}

func newHTMLGroup(g *group) htmlGroup {
	h := htmlGroup{Title: g.title(), Wait: g.key.Wait, Size: g.cells[0].payload(), Header: g.header()}
	for i, row := range g.rows() {
		transport := ""
		if i < len(g.cells) {
			transport = plain(g.cells[i].Name())
		}
		h.Rows = append(h.Rows, htmlRow{transport, row})
	}
	return h
}

// facts are the environment as rows.
func facts(e env.Environment) [][2]string {
	rows := [][2]string{{"CPU", e.CPU.Model}, {"CPUs allowed", strconv.Itoa(len(e.CPU.Allowed))}, {"governor", e.CPU.Governor},
		{"SMT", e.CPU.SMT}, {"kernel", e.Kernel}, {"virtualisation", e.Virtualisation}, {"memory", size(int(e.Memory))},
		{"Go", e.Go}, {"commit", e.Commit}, {"time", e.Time}, {"clock read", seconds(e.ClockReadNS)}}
	for _, m := range []map[string]string{e.CPU.Caches, e.Limits, e.Facts, e.Mitigations} {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			rows = append(rows, [2]string{k, m[k]})
		}
	}
	return slices.DeleteFunc(rows, func(row [2]string) bool { return row[1] == "" })
}

package results

import (
	_ "embed"
	"html/template"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/perf/benchunit"

	"ipcbench/harness"
)

//go:embed report.html
var htmlText string

// htmlPage escapes every text by the place it stands in: names come from files
// of unknown origin.
var htmlPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"plain": plain, "size": size, "count": count, "multiple": multiple,
}).Parse(htmlText))

// HTML writes one self-contained page: plots as inline SVG, each with its
// figures as a table behind it, and filters. It loads nothing from anywhere.
func HTML(w io.Writer, r *Result) error {
	page := htmlReport{
		Result: r, Machine: r.machine(),
		Remarks: r.remarks(), Skips: r.skips(), Sentences: r.sentences(),
		Environment: facts(r),
	}
	transports, sizes, waits := map[string]bool{}, map[int]bool{}, map[string]bool{}
	for _, g := range r.groups() {
		page.Groups = append(page.Groups, newHTMLGroup(g))
		sizes[g.payload()], waits[g.key.Wait] = true, true
		for _, c := range g.cells {
			transports[c.Name()] = true
		}
	}
	page.Transports = slices.Sorted(maps.Keys(transports))
	page.Sizes = slices.Sorted(maps.Keys(sizes))
	page.Waits = slices.Sorted(maps.Keys(waits))
	page.FloorHeader, page.FloorRows = r.otherFloors()
	page.Plots = r.plots(page.Transports)
	return htmlPage.Execute(w, page)
}

type htmlReport struct {
	Result                    *Result
	Machine                   string
	Transports, Waits         []string
	Sizes                     []int
	Plots                     []htmlPlot
	Groups                    []htmlGroup
	FloorHeader               []string
	FloorRows                 [][]string
	Sentences, Remarks, Skips []string
	Environment               [][2]string
}

// htmlPlot is a plot with what the filters know it by; Size is -1 where it
// spans sizes.
type htmlPlot struct {
	*plot
	Wait string
	Size int
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

func (g *group) payload() int { return max(g.key.RequestBytes, g.key.ReplyBytes) }

func newHTMLGroup(g *group) htmlGroup {
	h := htmlGroup{Title: g.title(), Wait: g.key.Wait, Size: g.payload(), Header: g.header()}
	for i, row := range g.rows() {
		transport := ""
		if i < len(g.cells) {
			transport = g.cells[i].Name()
		}
		h.Rows = append(h.Rows, htmlRow{transport, row})
	}
	return h
}

// metric is a figure of a cell that is drawn.
type metric struct {
	title, label string
	of           func(*Cell) float64
	text         func(float64) string
}

var metrics = []metric{
	{"Latency", "p50", func(c *Cell) float64 { return value(c.Latency.P50) }, seconds},
	{"Distance from the floor", "p50 ÷ floor", func(c *Cell) float64 { return c.FloorRatio }, multiple},
	{"CPU time", "CPU per operation", func(c *Cell) float64 { return c.CPUNSPerOp }, seconds},
	{"System calls", "calls per operation", func(c *Cell) float64 { return c.SyscallsPerOp }, count},
	{"Copies", "payload bytes copied per operation", func(c *Cell) float64 { return c.Copies.BytesPerOp }, scaledBytes},
}

func byteFigure(f float64) string { return size(int(f)) }

func scaledBytes(f float64) string { return benchunit.Scale(f, benchunit.Binary) + "B" }

// plots draws each metric against the payload, and throughput against clients
// where there are several numbers of them, for cells that differ in nothing
// else; then the percentiles of each group.
func (r *Result) plots(transports []string) []htmlPlot {
	var all []htmlPlot
	add := func(p *plot, wait string, size int) {
		if p != nil {
			all = append(all, htmlPlot{p, wait, size})
		}
	}
	bySize := func(k harness.Key) harness.Key { k.RequestBytes, k.ReplyBytes = 0, 0; return k }
	byClients := func(k harness.Key) harness.Key { k.Clients = 0; return k }
	payload := func(c *Cell) float64 { return float64(max(c.RequestBytes, c.ReplyBytes)) }
	clients := func(c *Cell) float64 { return float64(c.Clients) }
	for _, f := range r.families(bySize) {
		k := f[0].Key
		where := k.Workload + ", wait " + k.Wait + ", placement " + k.Placement + ", clients " + strconv.Itoa(k.Clients)
		for _, m := range metrics {
			add(draw(plot{Title: m.title + ": " + where, XLabel: "payload", YLabel: m.label,
				Series: lines(f, transports, payload, m.of)}, byteFigure, m.text), k.Wait, -1)
		}
	}
	throughput := func(c *Cell) float64 { return c.OperationsPerSecond }
	perSecond := func(f float64) string { return rate(f, "op") }
	for _, f := range r.families(byClients) {
		k := f[0].Key
		if !slices.ContainsFunc(f, func(c *Cell) bool { return c.Clients != k.Clients }) {
			continue
		}
		add(draw(plot{Title: "Throughput: " + k.Workload + ", " + size(f[0].RequestBytes) + ", wait " + k.Wait + ", placement " + k.Placement,
			XLabel: "clients", YLabel: "operations per second",
			Series: lines(f, transports, clients, throughput)}, count, perSecond), k.Wait, int(payload(f[0])))
	}
	for _, g := range r.groups() {
		add(draw(plot{Title: "Percentiles: " + g.title(), XLabel: "percentile", YLabel: "latency",
			Series: curves(g.cells, transports)}, percentileOf, seconds), g.key.Wait, g.payload())
	}
	return all
}

// families are the cells whose keys are equal apart from transport and what
// reduce takes away.
func (r *Result) families(reduce func(harness.Key) harness.Key) [][]*Cell {
	at := map[harness.Key]int{}
	var all [][]*Cell
	for i := range r.Cells {
		c := &r.Cells[i]
		k := reduce(c.Key)
		k.Transport = ""
		if _, ok := at[k]; !ok {
			at[k] = len(all)
			all = append(all, nil)
		}
		all[at[k]] = append(all[at[k]], c)
	}
	return all
}

// lines are a series a row name, sorted along x.
func lines(cells []*Cell, transports []string, x, y func(*Cell) float64) []series {
	byName := map[string]int{}
	var out []series
	for _, c := range cells {
		i, ok := byName[c.Name()]
		if !ok {
			i = len(out)
			byName[c.Name()] = i
			out = append(out, series{Name: c.Name(), Style: style(c, transports)})
		}
		out[i].Points = append(out[i].Points, point{x: x(c), y: y(c)})
	}
	for i := range out {
		slices.SortStableFunc(out[i].Points, func(a, b point) int {
			if a.x < b.x {
				return -1
			}
			return min(1, int(a.x-b.x))
		})
	}
	return out
}

// style is the same for a transport in every plot of a page.
func style(c *Cell, transports []string) int { return slices.Index(transports, c.Name()) % styles }

// maxHistogram bounds the stored histograms that are drawn, in bytes; those of
// a run take a thousandth of it.
const maxHistogram = 1 << 20

// curves are the percentiles of each cell, as far as its sample supports them,
// at 1/(1-p).
func curves(cells []*Cell, transports []string) []series {
	var out []series
	for _, c := range cells {
		if c.Histogram == "" || len(c.Histogram) > maxHistogram {
			continue
		}
		h, err := hdrhistogram.Decode([]byte(c.Histogram))
		if err != nil {
			continue
		}
		s := series{Name: c.Name(), Style: style(c, transports)}
		for _, beyond := range []float64{0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001} {
			if float64(h.TotalCount())*beyond >= tailSamples {
				s.Points = append(s.Points, point{x: 1 / beyond, y: float64(h.ValueAtPercentile(100 * (1 - beyond)))})
			}
		}
		out = append(out, s)
	}
	return out
}

// percentileOf is the percentile at 1/(1-p).
func percentileOf(x float64) string { return "p" + strconv.FormatFloat(100*(1-1/x), 'g', 4, 64) }

// facts are the environment as rows.
func facts(r *Result) [][2]string {
	e := r.Environment
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

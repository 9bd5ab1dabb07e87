package results

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ipcbench/harness"
	"ipcbench/results/plot"
)

// picture is a drawing of a result, with what it is about.
type picture struct {
	*plot.Drawing
	// kind is what of its cells it shows: "latency".
	kind string
	// slug names it among the pictures of a result, in letters, digits and
	// hyphens.
	slug string
	// key of its cells: without a transport, and without what it spans.
	key harness.Key
	// spansSizes: it is about all payloads, and no size names it.
	spansSizes bool
}

// percentileCurves is the kind of picture that belongs to one group.
const percentileCurves = "percentiles"

// metric is a figure of a cell that is drawn against the payload.
type metric struct {
	kind, title, label string
	of                 func(*Cell) float64
	text               func(float64) string
}

var metrics = []metric{
	{"latency", "Latency", "p50", func(c *Cell) float64 { return value(c.Latency.P50) }, seconds},
	{"floor", "Distance from the floor", "p50 ÷ floor", func(c *Cell) float64 { return c.FloorRatio }, multiple},
	{"cpu", "CPU time", "CPU time per operation", func(c *Cell) float64 { return c.CPUNSPerOp }, seconds},
}

// gallery draws the cells of a result.
type gallery struct {
	// names of the rows; their order is that of the styles, so that a
	// transport looks the same in every picture.
	names    []string
	pictures []picture
}

// pictures are drawn for cells that differ in nothing but the transport and what
// a picture spans: each metric against the payload, copies and system calls,
// throughput against clients where there are several numbers of them, and the
// percentiles of each group.
func (r *Result) pictures() []picture {
	g := &gallery{}
	for i := range r.Cells {
		if name := r.Cells[i].Name(); !slices.Contains(g.names, name) {
			g.names = append(g.names, name)
		}
	}
	for _, s := range r.sweeps(func(k *harness.Key) { k.RequestBytes, k.ReplyBytes = 0, 0 }) {
		g.bySize(s)
	}
	for _, s := range r.sweeps(func(k *harness.Key) { k.Clients = 0 }) {
		g.byClients(s)
	}
	for _, group := range r.groups() {
		g.percentiles(group)
	}
	return g.pictures
}

// sweep is cells whose keys are equal apart from the transport and what was
// taken away.
type sweep struct {
	key   harness.Key
	cells []*Cell
}

func (r *Result) sweeps(reduce func(*harness.Key)) []*sweep {
	at := map[harness.Key]*sweep{}
	var all []*sweep
	for i := range r.Cells {
		c := &r.Cells[i]
		k := c.Key
		k.Transport = ""
		reduce(&k)
		if at[k] == nil {
			at[k] = &sweep{key: k}
			all = append(all, at[k])
		}
		at[k].cells = append(at[k].cells, c)
	}
	return all
}

func (g *gallery) add(kind string, key harness.Key, spansSizes bool, d *plot.Drawing) {
	if d == nil {
		return
	}
	name := slug(kind, key, spansSizes)
	if slices.ContainsFunc(g.pictures, func(p picture) bool { return p.slug == name }) {
		name += "-" + strconv.Itoa(len(g.pictures))
	}
	g.pictures = append(g.pictures, picture{d, kind, name, key, spansSizes})
}

func slug(kind string, key harness.Key, spansSizes bool) string {
	parts := []string{kind, key.Workload, key.Wait, key.Placement}
	if !spansSizes {
		parts = append(parts, strconv.Itoa(key.RequestBytes))
		if key.ReplyBytes != key.RequestBytes {
			parts = append(parts, strconv.Itoa(key.ReplyBytes))
		}
	}
	if key.Clients > 1 {
		parts = append(parts, strconv.Itoa(key.Clients), "clients")
	}
	for i, part := range parts {
		part = notInNames.ReplaceAllString(part, "-")
		parts[i] = part[:min(len(part), 16)]
	}
	return strings.Join(parts, "-")
}

var notInNames = regexp.MustCompile("[^a-zA-Z0-9]+")

// largest payload of a cell, which is what it is drawn at.
func (c *Cell) payload() int { return max(c.RequestBytes, c.ReplyBytes) }

func (g *gallery) bySize(s *sweep) {
	bySize := func(a, b *Cell) int { return a.payload() - b.payload() }
	low, high := slices.MinFunc(s.cells, bySize).payload(), slices.MaxFunc(s.cells, bySize).payload()
	where := plain(s.key.Workload) + ", " + (&group{key: s.key}).conditions()
	for _, m := range metrics {
		title := m.title + ": " + where
		if low == high {
			g.add(m.kind, s.key, true, plot.Bars{Title: title + ", " + size(low), Label: m.label, Text: short(m.text),
				Categories: rowNames(s.cells), Series: []plot.BarSeries{{Name: m.label, Values: valuesAt(s.cells, low, m.of)}}}.Draw())
			continue
		}
		g.add(m.kind, s.key, true, plot.Chart{Title: title,
			X:      plot.Axis{Label: "payload", Log: true, AtPoints: true, Text: func(v float64) string { return size(int(v)) }},
			Y:      plot.Axis{Label: m.label, Log: true, Text: short(m.text)},
			Series: g.lines(s.cells, func(c *Cell) float64 { return float64(c.payload()) }, m.of)}.Draw())
	}
	g.add("copies", s.key, true, plot.Bars{Title: "Copies: " + where + ", " + size(high),
		Label: "copies of the payload per direction", Text: count, Categories: rowNames(s.cells),
		Series: []plot.BarSeries{
			{Name: "request", Values: valuesAt(s.cells, high, func(c *Cell) float64 { return orNaN(c.Copies.Request) })},
			{Name: "reply", Values: valuesAt(s.cells, high, func(c *Cell) float64 { return orNaN(c.Copies.Reply) })},
		}}.Draw())
	calls := func(c *Cell) float64 { return c.SyscallsPerOp }
	series := []plot.BarSeries{{Name: size(low), Values: valuesAt(s.cells, low, calls)}}
	if high > low {
		series = append(series, plot.BarSeries{Name: size(high), Values: valuesAt(s.cells, high, calls)})
	}
	g.add("syscalls", s.key, true, plot.Bars{Title: "System calls: " + where, Label: "system calls per operation, all processes",
		Text: count, Categories: rowNames(s.cells), Series: series}.Draw())
}

func (g *gallery) byClients(s *sweep) {
	first := s.cells[0].Clients
	if !slices.ContainsFunc(s.cells, func(c *Cell) bool { return c.Clients != first }) {
		return
	}
	title := "Throughput: " + strings.Join([]string{plain(s.key.Workload), payload(s.key),
		"wait " + plain(s.key.Wait), "placement " + plain(s.key.Placement)}, ", ")
	g.add("throughput", s.key, false, plot.Chart{Title: title,
		X: plot.Axis{Label: "clients", Log: true, AtPoints: true},
		Y: plot.Axis{Label: "operations per second", Log: true, Text: func(v float64) string { return Trimmed(rate(v, "op")) }},
		Series: g.lines(s.cells, func(c *Cell) float64 { return float64(c.Clients) },
			func(c *Cell) float64 { return c.OperationsPerSecond })}.Draw())
}

func (g *gallery) percentiles(group *group) {
	g.add(percentileCurves, group.key, false, plot.Chart{Title: "Percentiles: " + group.title(),
		X:      plot.Axis{Label: "percentile", Log: true, AtPoints: true, Text: percentileOf},
		Y:      plot.Axis{Label: "latency", Log: true, Text: short(seconds)},
		Series: g.curves(group.cells)}.Draw())
}

// lines are a series a row, sorted along x.
func (g *gallery) lines(cells []*Cell, x, y func(*Cell) float64) (all []plot.Series) {
	byName := map[string]int{}
	for _, c := range cells {
		i, ok := byName[c.Name()]
		if !ok {
			i = len(all)
			byName[c.Name()] = i
			all = append(all, plot.Series{Name: c.Name(), Style: g.style(c)})
		}
		if at := y(c); at > 0 {
			all[i].Points = append(all[i].Points, plot.Point{X: x(c), Y: at})
		}
	}
	for _, s := range all {
		slices.SortStableFunc(s.Points, func(a, b plot.Point) int {
			if a.X < b.X {
				return -1
			}
			return min(1, int(a.X-b.X))
		})
	}
	return all
}

func (g *gallery) style(c *Cell) int { return slices.Index(g.names, c.Name()) }

// maxHistogram bounds the stored histograms that are drawn, in bytes; those of
// a run take a thousandth of it.
const maxHistogram = 1 << 20

// beyond are the shares of operations above the percentiles that are drawn.
var beyond = []float64{0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001}

// curves are the percentiles of each cell, as far as its sample supports them,
// at 1/(1-p).
func (g *gallery) curves(cells []*Cell) (all []plot.Series) {
	for _, c := range cells {
		if c.Histogram == "" || len(c.Histogram) > maxHistogram {
			continue
		}
		h, err := hdrhistogram.Decode([]byte(c.Histogram))
		if err != nil {
			continue
		}
		s := plot.Series{Name: c.Name(), Style: g.style(c)}
		for _, b := range beyond {
			if float64(h.TotalCount())*b >= tailSamples {
				s.Points = append(s.Points, plot.Point{X: 1 / b, Y: float64(h.ValueAtPercentile(100 * (1 - b)))})
			}
		}
		all = append(all, s)
	}
	return all
}

// percentileOf is the percentile at 1/(1-p).
func percentileOf(x float64) string { return "p" + strconv.FormatFloat(100*(1-1/x), 'g', 4, 64) }

// rowNames of cells, each once.
func rowNames(cells []*Cell) (names []string) {
	for _, c := range cells {
		if !slices.Contains(names, c.Name()) {
			names = append(names, c.Name())
		}
	}
	return names
}

// valuesAt is a figure of each row at one payload; NaN where it has none.
func valuesAt(cells []*Cell, payload int, of func(*Cell) float64) []float64 {
	names := rowNames(cells)
	values := make([]float64, len(names))
	for i := range values {
		values[i] = math.NaN()
	}
	for _, c := range cells {
		if c.payload() == payload {
			values[slices.Index(names, c.Name())] = of(c)
		}
	}
	return values
}

func orNaN(f *float64) float64 {
	if f == nil {
		return math.NaN()
	}
	return *f
}

// short writes a figure without zeros that say nothing.
func short(text func(float64) string) func(float64) string {
	return func(v float64) string { return Trimmed(text(v)) }
}

// Trimmed takes idle zeros from a scaled figure: 10.00µs is 10µs.
func Trimmed(s string) string {
	point := strings.IndexByte(s, '.')
	if point < 0 {
		return s
	}
	end := point + 1
	for end < len(s) && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	return trimZeros(s[:end]) + s[end:]
}

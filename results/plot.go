package results

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// plot is a line chart on logarithmic axes, laid out in units of its view box.
// Its Table holds the same figures as text.
type plot struct {
	Title, XLabel, YLabel string
	Width, Height         int
	// The frame that the lines are drawn in.
	Left, Right, Top, Bottom int
	XTicks, YTicks           []tick
	Series                   []series
	Table                    plotTable
}

type tick struct {
	At    float64
	Label string
}

// series is a line of a plot. Style numbers its colour and dash.
type series struct {
	Name   string
	Style  int
	Points []point
	Path   string
}

type point struct{ x, y, X, Y float64 }

type plotTable struct {
	Header []string
	Rows   [][]string
}

const (
	plotWidth, plotHeight = 640, 400
	plotLeft, plotRight   = 84, plotWidth - 36
	plotTop, plotBottom   = 16, plotHeight - 56
	styles                = 12
)

// draw lays out the series and their table. A point whose y is not above 0 has
// no figure and is left out; one at x = 0 has no place on the axis and stands in
// the table alone. It returns nil where nothing is left to draw.
func draw(p plot, x, y func(float64) string) *plot {
	p.Width, p.Height = plotWidth, plotHeight
	p.Left, p.Right, p.Top, p.Bottom = plotLeft, plotRight, plotTop, plotBottom
	xs, ys := newAxis(), newAxis()
	for i := range p.Series {
		for _, pt := range p.Series[i].Points {
			if pt.x > 0 && pt.y > 0 {
				xs.add(pt.x)
				ys.add(pt.y)
			}
		}
	}
	if xs.low > xs.high {
		return nil
	}
	p.Table.Header = []string{"", p.XLabel, p.YLabel}
	for i := range p.Series {
		s := &p.Series[i]
		var path strings.Builder
		kept := s.Points[:0]
		for _, pt := range s.Points {
			if !(pt.y > 0) {
				continue
			}
			p.Table.Rows = append(p.Table.Rows, []string{s.Name, x(pt.x), y(pt.y)})
			if !(pt.x > 0) {
				continue
			}
			pt.X = plotLeft + xs.position(pt.x)*(plotRight-plotLeft)
			pt.Y = plotBottom - ys.position(pt.y)*(plotBottom-plotTop)
			fmt.Fprintf(&path, "%c%.1f %.1f", "ML"[min(len(kept), 1)], pt.X, pt.Y)
			kept = append(kept, pt)
		}
		s.Points, s.Path = kept, path.String()
	}
	p.XTicks = xTicks(p.Series, x)
	for _, v := range ys.ticks() {
		p.YTicks = append(p.YTicks, tick{plotBottom - ys.position(v)*(plotBottom-plotTop), y(v)})
	}
	return &p
}

// tickDistance is the least room between the marks of the x axis.
const tickDistance = 70

// xTicks marks the values that were measured, as far as there is room.
func xTicks(all []series, text func(float64) string) []tick {
	at := map[float64]float64{}
	for _, s := range all {
		for _, pt := range s.Points {
			at[pt.X] = pt.x
		}
	}
	var ticks []tick
	for _, X := range slices.Sorted(maps.Keys(at)) {
		if n := len(ticks); n == 0 || X-ticks[n-1].At >= tickDistance {
			ticks = append(ticks, tick{X, text(at[X])})
		}
	}
	return ticks
}

// axis is logarithmic.
type axis struct{ low, high float64 }

func newAxis() *axis { return &axis{math.Inf(1), math.Inf(-1)} }

func (a *axis) add(v float64) { a.low, a.high = min(a.low, v), max(a.high, v) }

// position of a value between the ends of the axis, 0 to 1.
func (a *axis) position(v float64) float64 {
	if a.high <= a.low {
		return 0.5
	}
	return (math.Log(v) - math.Log(a.low)) / (math.Log(a.high) - math.Log(a.low))
}

// ticks are five values at equal distances, ends included, or the only one.
func (a *axis) ticks() []float64 {
	if a.high <= a.low {
		return []float64{a.low}
	}
	const n = 5
	out := make([]float64, n)
	for i := range out {
		out[i] = a.low * math.Pow(a.high/a.low, float64(i)/(n-1))
	}
	return out
}

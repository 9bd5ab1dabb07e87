// Package plot draws charts as SVG: lines and steps on linear or logarithmic
// axes ([Chart]), and bars ([Bars]).
//
// Colours are a style sheet's and no part of a drawing, so that one drawing is
// legible in light, dark and print: in a page by the page's preference, in a
// file by that of whoever shows it. Chart libraries for Go write the colours
// into each element, which is why none is used here.
//
// What is drawn is a [Drawing], which is written as a file of its own
// ([Drawing.WriteSVG]) or into a page ([Drawing.Inline], with [CSS] in the
// page), and holds the same figures as a table. Texts may come from anywhere:
// they are escaped, and characters that XML cannot hold are replaced.
package plot

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Chart is series of points over two axes.
type Chart struct {
	Title string
	X, Y  Axis
	// Steps: a series keeps its value until its next point, as a count over
	// time does; otherwise points are joined by straight lines.
	Steps  bool
	Series []Series
}

// Axis is one of a chart's axes.
type Axis struct {
	Label string
	// Log: the axis is logarithmic; points at or below 0 have no place on it
	// and stand in the table alone. A linear Y axis begins at 0.
	Log bool
	// AtPoints marks the values that points have, as far as there is room,
	// instead of round ones: for sizes, percentiles, numbers of clients.
	AtPoints bool
	// Text writes a value, with its unit where it has one; nil writes the
	// shortest decimal.
	Text func(float64) string
}

// Series is a line of a chart.
type Series struct {
	Name string
	// Style numbers colour and dash, from 0; what has the same name in
	// several charts wants the same number. See [Styles].
	Style  int
	Points []Point
}

// Point of a series, in the units of the axes. NaN is no figure.
type Point struct{ X, Y float64 }

// Styles is the number of styles that can be told apart; beyond them they
// repeat.
const Styles = 24

func (a Axis) text(v float64) string {
	if a.Text == nil {
		return decimal(v)
	}
	return clean(a.Text(v))
}

// decimal writes whole numbers in full, up to where they are exact.
func decimal(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}

// clean replaces what does not print, and what XML cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsGraphic(r):
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

const (
	width       = 640
	frameLeft   = 84
	frameRight  = width - 36
	frameTop    = 34
	frameBottom = 344
	belowFrame  = 56
	// tickDistance is the least room between the marks of an axis that marks
	// its points.
	tickDistance = 70
)

// Draw lays the chart out; nil where there is nothing to draw.
func (c Chart) Draw() *Drawing {
	x, y := newScale(c.X.Log), newScale(c.Y.Log)
	for _, s := range c.Series {
		for _, p := range s.Points {
			if x.has(p.X) && y.has(p.Y) {
				x.add(p.X)
				y.add(p.Y)
			}
		}
	}
	if x.empty() {
		return nil
	}
	if !c.Y.Log {
		y.include(0)
	}
	y.widen()
	d := &Drawing{
		Title: clean(c.Title), Width: width, Height: frameBottom + belowFrame,
		Left: frameLeft, Right: frameRight, Top: frameTop, Bottom: frameBottom,
		XLabel: clean(c.X.Label), YLabel: clean(c.Y.Label),
	}
	across := func(v float64) length { return frameLeft + length(x.position(v))*(frameRight-frameLeft) }
	up := func(v float64) length { return frameBottom - length(y.position(v))*(frameBottom-frameTop) }
	d.Table.Header = []string{"", d.XLabel, d.YLabel}
	for _, s := range c.Series {
		if g := c.line(s, x, y, across, up); g.Path != "" {
			d.Groups = append(d.Groups, g)
			d.Legend = append(d.Legend, Entry{g.Name, g.Class})
		}
		for _, p := range s.Points {
			if !math.IsNaN(p.X) && !math.IsNaN(p.Y) {
				d.Table.Rows = append(d.Table.Rows, []string{clean(s.Name), c.X.text(p.X), c.Y.text(p.Y)})
			}
		}
	}
	d.XTicks = c.X.marks(x, across)
	d.YTicks = c.Y.marks(y, up)
	return d
}

// line joins the points of a series that have a place.
func (c Chart) line(s Series, x, y *scale, across, up func(float64) length) Group {
	g := Group{Name: clean(s.Name), Class: class(s.Style)}
	var path strings.Builder
	for _, p := range s.Points {
		if !x.has(p.X) || !y.has(p.Y) {
			continue
		}
		at := Spot{across(p.X), up(p.Y)}
		switch {
		case len(g.Spots) == 0:
			fmt.Fprintf(&path, "M%v %v", at.X, at.Y)
		case c.Steps:
			fmt.Fprintf(&path, "H%vV%v", at.X, at.Y)
		default:
			fmt.Fprintf(&path, "L%v %v", at.X, at.Y)
		}
		g.Spots = append(g.Spots, at)
	}
	g.Path = path.String()
	if c.Steps {
		g.Spots = nil
	}
	return g
}

// marks are the ticks of an axis.
func (a Axis) marks(s *scale, place func(float64) length) (ticks []Tick) {
	if !a.AtPoints {
		for _, v := range s.ticks() {
			ticks = append(ticks, Tick{place(v), a.text(v)})
		}
		return ticks
	}
	for _, v := range slices.Compact(slices.Sorted(slices.Values(s.values))) {
		at := place(v)
		if n := len(ticks); n == 0 || math.Abs(float64(at-ticks[n-1].At)) >= tickDistance {
			ticks = append(ticks, Tick{at, a.text(v)})
		}
	}
	return ticks
}

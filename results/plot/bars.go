package plot

import "math"

// Bars is horizontal bars from 0, a group of them a category: a bar a series.
type Bars struct {
	Title string
	// Label of the values, and how one is written; see Axis.Text.
	Label      string
	Text       func(float64) string
	Categories []string
	Series     []BarSeries
}

// BarSeries is one bar of every category; NaN is no bar. Negative values have
// no bar either, and stand in the table alone.
type BarSeries struct {
	Name   string
	Values []float64
}

const (
	barLeft   = 150
	barRight  = width - 70 // room for the value behind the longest bar
	barHeight = 14
	barGap    = 8
)

// Draw lays the bars out; nil where there is nothing to draw.
func (b Bars) Draw() *Drawing {
	values := newScale(false)
	for _, s := range b.Series {
		for _, v := range s.Values {
			if values.has(v) {
				values.add(v)
			}
		}
	}
	if values.empty() || len(b.Categories) == 0 {
		return nil
	}
	values.low, values.high = 0, max(0, values.high)
	rowHeight := length(barHeight*len(b.Series) + barGap)
	bottom := frameTop + length(len(b.Categories))*rowHeight
	d := &Drawing{
		Title: clean(b.Title), Width: width, Height: bottom + belowFrame,
		Left: barLeft, Right: barRight, Top: frameTop, Bottom: bottom, XLabel: clean(b.Label),
	}
	axis := Axis{Text: b.Text}
	across := func(v float64) length { return barLeft + length(values.position(v))*(barRight-barLeft) }
	d.XTicks = axis.marks(values, across)
	if values.high <= 0 {
		across = func(float64) length { return barLeft }
		d.XTicks = []Tick{{barLeft, axis.text(0)}}
	}
	d.Table.Header = []string{""}
	for i, s := range b.Series {
		d.Table.Header = append(d.Table.Header, clean(s.Name))
		if len(b.Series) > 1 {
			d.Legend = append(d.Legend, Entry{clean(s.Name), class(i)})
		}
	}
	for i := range b.Categories {
		g, row := b.category(i, frameTop+length(i)*rowHeight+barGap/2, across, axis)
		d.Groups, d.Table.Rows = append(d.Groups, g), append(d.Table.Rows, row)
	}
	return d
}

// category is the bars of one category, and its row of the table.
func (b Bars) category(i int, top length, across func(float64) length, axis Axis) (Group, []string) {
	name := clean(b.Categories[i])
	g := Group{Name: name, Label: &Label{barLeft - 8, top + length(barHeight*len(b.Series))/2, shorten(name, 17)}}
	row := []string{name}
	for j, s := range b.Series {
		v := math.NaN()
		if i < len(s.Values) {
			v = s.Values[i]
		}
		if !(math.Abs(v) <= largest) {
			row = append(row, "–")
			continue
		}
		row = append(row, axis.text(v))
		if v < 0 {
			continue
		}
		y := top + length(barHeight*j)
		g.Bars = append(g.Bars, Bar{Class: class(j), X: barLeft, Y: y, Width: across(v) - barLeft, Height: barHeight - 2,
			Value: Label{across(v) + 5, y + barHeight/2, axis.text(v)}})
	}
	return g, row
}

// shorten cuts a text to n characters.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

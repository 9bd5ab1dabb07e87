package plot

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"strconv"
)

// Drawing is a chart that was laid out, in units of its view box.
type Drawing struct {
	Title         string
	Width, Height length
	// The frame that the figures are drawn in.
	Left, Right, Top, Bottom length
	XLabel, YLabel           string
	XTicks, YTicks           []Tick
	Groups                   []Group
	Legend                   []Entry
	// Table holds the same figures as text; its first column is names.
	Table Table
}

// Table is a header and rows of as many columns.
type Table struct {
	Header []string
	Rows   [][]string
}

// Tick is a mark of an axis.
type Tick struct {
	At    length
	Label string
}

// Group is what belongs to one name: a series' line and its points, or a
// category's label and bars. In the SVG it is a g element with the attribute
// data-name, which scripts can filter by.
type Group struct {
	Name, Class string
	Path        string
	Spots       []Spot
	Label       *Label
	Bars        []Bar
}

// Spot is a place.
type Spot struct{ X, Y length }

// Label is a text at a place.
type Label struct {
	X, Y length
	Text string
}

// Bar is a rectangle with its value written behind it.
type Bar struct {
	Class               string
	X, Y, Width, Height length
	Value               Label
}

// Entry of a legend.
type Entry struct{ Name, Class string }

// length in units of the view box.
type length float64

func (l length) String() string { return strconv.FormatFloat(float64(l), 'f', 1, 64) }

// class is what the style sheet calls a style.
func class(style int) string { return "s" + strconv.Itoa(max(0, style)%Styles) }

// CSS is the style sheet of drawings. Its colours are custom properties of the
// element .plot, light or dark by preference, light on paper.
//
//go:embed plot.css
var CSS string

//go:embed plot.svg.tmpl
var svgText string

var svg = template.Must(template.New("plot").Parse(svgText))

const (
	titleHeight = 30
	// legendColumns of a file's legend, the height of a row, and the room
	// below the last one.
	legendColumns = 3
	legendRow     = 20
	legendFoot    = 8
)

// file is a drawing with what a page would otherwise put around it.
type file struct {
	*Drawing
	CSS template.CSS
}

// WriteSVG writes the drawing as a file of its own, with title, legend and style
// sheet. The same drawing gives the same bytes.
func (d *Drawing) WriteSVG(w io.Writer) error {
	return svg.ExecuteTemplate(w, "file", file{d, template.CSS(CSS)})
}

// Inline is the drawing as an element of an HTML page that has CSS in its style
// sheet. Title and Legend are the page's to place.
func (d *Drawing) Inline() (template.HTML, error) {
	var b bytes.Buffer
	err := svg.ExecuteTemplate(&b, "inline", d)
	return template.HTML(b.String()), err
}

// FullHeight is that of the file, with title and legend.
func (f file) FullHeight() length {
	rows := (len(f.Legend) + legendColumns - 1) / legendColumns
	return f.Height + titleHeight + length(rows*legendRow) + legendFoot
}

// Placed is a legend's entry with its place in the file.
type Placed struct {
	Entry
	X, Y length
}

// Placed lays the legend of a file out in columns below the drawing.
func (f file) Placed() (all []Placed) {
	for i, e := range f.Legend {
		x := length(16 + i%legendColumns*(width-16)/legendColumns)
		e.Name = shorten(e.Name, 20)
		all = append(all, Placed{e, x, f.Height + titleHeight + length(i/legendColumns*legendRow) + legendRow/2})
	}
	return all
}

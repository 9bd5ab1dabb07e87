package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// wellFormed writes a drawing as a file and reads it as XML.
func wellFormed(t *testing.T, d *Drawing) string {
	t.Helper()
	var out bytes.Buffer
	if err := d.WriteSVG(&out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	decoder := xml.NewDecoder(&out)
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return text
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
	}
}

func TestChart(t *testing.T) {
	d := Chart{
		Title: "Latency", X: Axis{Label: "payload", Log: true, AtPoints: true}, Y: Axis{Label: "p50", Log: true},
		Series: []Series{
			{"pipe", 0, []Point{{64, 10}, {8192, 100}, {1 << 20, 1000}}},
			{"shm", 1, []Point{{0, 5}, {64, 0}, {4096, math.NaN()}, {1 << 20, math.Inf(1)}}},
		},
	}.Draw()
	text := wellFormed(t, d)
	for _, want := range []string{`data-name="pipe"`, ">Latency<", ">p50<", ">8192<", ">100<", "prefers-color-scheme: dark"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	pipe := d.Groups[0].Spots
	if len(pipe) != 3 || math.Abs(float64(pipe[0].Y+pipe[2].Y-2*pipe[1].Y)) > 1e-9 || pipe[0].X != frameLeft || pipe[2].X != frameRight {
		t.Errorf("the points of pipe are not at equal distances: %v", pipe)
	}
	if len(d.Groups) != 1 || len(d.Legend) != 1 {
		t.Errorf("a series without a place is drawn: %+v", d.Legend)
	}
	if len(d.Table.Rows) != 6 {
		t.Errorf("%d rows of a table of 7 points, one of which is no figure", len(d.Table.Rows))
	}
}

func TestSteps(t *testing.T) {
	d := Chart{Steps: true, Series: []Series{{"loopers", 0, []Point{{0, 1}, {1, 2}, {2, 16}}}}}.Draw()
	if path := d.Groups[0].Path; strings.Count(path, "H") != 2 || strings.Count(path, "V") != 2 || strings.Contains(path, "L") {
		t.Errorf("no steps: %s", path)
	}
	if first := d.YTicks[0]; first.Label != "0" || first.At != frameBottom {
		t.Errorf("the Y axis begins with %+v", first)
	}
}

func TestBars(t *testing.T) {
	d := Bars{Title: "Copies", Categories: []string{"pipe", "binder", "shm"},
		Series: []BarSeries{{"request", []float64{2, 1, 0}}, {"reply", []float64{2, math.NaN()}}}}.Draw()
	wellFormed(t, d)
	pipe, shm := d.Groups[0].Bars, d.Groups[2].Bars
	if len(pipe) != 2 || len(d.Groups[1].Bars) != 1 || len(shm) != 1 {
		t.Fatalf("%+v", d.Groups)
	}
	if pipe[0].Width != 2*d.Groups[1].Bars[0].Width || shm[0].Width != 0 {
		t.Errorf("widths are not as the values: %v %v %v", pipe[0].Width, d.Groups[1].Bars[0].Width, shm[0].Width)
	}
	want := [][]string{{"pipe", "2", "2"}, {"binder", "1", "–"}, {"shm", "0", "–"}}
	if diff := cmp.Diff(want, d.Table.Rows); diff != "" {
		t.Error(diff)
	}
	wellFormed(t, Bars{Categories: []string{"none"}, Series: []BarSeries{{"", []float64{0}}}}.Draw())
}

func TestNothingToDraw(t *testing.T) {
	for i, d := range []*Drawing{
		Chart{}.Draw(),
		Chart{Series: []Series{{Points: []Point{{math.NaN(), 1}}}}}.Draw(),
		Chart{X: Axis{Log: true}, Series: []Series{{Points: []Point{{-1, 1}}}}}.Draw(),
		Bars{}.Draw(),
		Bars{Categories: []string{"a"}, Series: []BarSeries{{"s", []float64{math.NaN()}}}}.Draw(),
	} {
		if d != nil {
			t.Errorf("case %d is drawn", i)
		}
	}
}

// TestHostileText: what comes from elsewhere stays text, in a file and in a
// page.
func TestHostileText(t *testing.T) {
	const hostile = "\"><script>alert(1)</script>\x1b[2J\x00&'"
	d := Chart{Title: hostile, X: Axis{Label: hostile}, Y: Axis{Label: hostile, Text: func(float64) string { return hostile }},
		Series: []Series{{hostile, -3, []Point{{1, 1}}}}}.Draw()
	bars := Bars{Title: hostile, Label: hostile, Categories: []string{hostile}, Series: []BarSeries{{hostile, []float64{1}}, {hostile, []float64{1}}}}.Draw()
	for _, drawing := range []*Drawing{d, bars} {
		inline, err := drawing.Inline()
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{wellFormed(t, drawing), string(inline)} {
			if strings.Contains(text, "<script") || strings.ContainsAny(text, "\x1b\x00") {
				t.Errorf("markup of a name: %s", text)
			}
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		log       bool
		low, high float64
		want      []float64
	}{
		{false, 0, 16, []float64{0, 5, 10, 15}},
		{false, 0, 1, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
		{false, -1, 1, []float64{-1, -0.5, 0, 0.5, 1}},
		{true, 1, 100, []float64{1, 2, 5, 10, 20, 50, 100}},
		{true, 5, 2000, []float64{10, 30, 100, 300, 1000}},
		{true, 1e-6, 1e6, []float64{1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6}},
		{true, 21, 29, []float64{22, 24, 26, 28}},
		{false, 7, 7, []float64{7}},
	} {
		got := (&scale{log: c.log, low: c.low, high: c.high}).ticks()
		near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b), 1e-3) })
		if diff := cmp.Diff(c.want, got, near); diff != "" {
			t.Errorf("%+v: %s", c, diff)
		}
	}
}

// FuzzChart: whatever the figures, a chart is drawn well-formed and within its
// frame.
func FuzzChart(f *testing.F) {
	f.Add("name", 1.0, 2.0, 3.0, 4.0, true)
	f.Add("\xff<", math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 1e308, false)
	f.Fuzz(func(t *testing.T, name string, x, y, u, v float64, log bool) {
		points := []Point{{x, y}, {u, v}}
		d := Chart{Title: name, X: Axis{Log: log}, Y: Axis{Log: log, AtPoints: true}, Series: []Series{{name, 0, points}}}.Draw()
		if d == nil {
			return
		}
		wellFormed(t, d)
		for _, s := range d.Groups[0].Spots {
			if !(s.X >= 0 && s.X <= width && s.Y >= 0 && s.Y <= d.Height) {
				t.Errorf("a point at %v", s)
			}
		}
		if len(d.XTicks)+len(d.YTicks) > 100 {
			t.Errorf("%d ticks", len(d.XTicks)+len(d.YTicks))
		}
	})
}

package results

import (
	"fmt"
	"math"
	"strings"

	"ipcbench/harness/claims"
	"ipcbench/results/plot"
)

// claimDrawing is a picture of a claim, with its name among the pictures of a
// report, in letters, digits and hyphens.
type claimDrawing struct {
	*plot.Drawing
	slug string
}

// claimDrawings are the pictures of a claim that have something to show.
func claimDrawings(o *claims.Outcome) (all []claimDrawing) {
	for i := range o.Figures {
		if d := drawFigure(&o.Figures[i]); d != nil {
			id := notInNames.ReplaceAllString(strings.ToLower(o.ID), "-")
			all = append(all, claimDrawing{d, fmt.Sprintf("%s-%d", id, i+1)})
		}
	}
	return all
}

func drawFigure(f *claims.Figure) *plot.Drawing {
	if len(f.Categories) > 0 {
		return drawBars(f)
	}
	c := plot.Chart{Title: f.Title, Steps: f.Steps,
		X: plot.Axis{Label: f.XLabel, Log: f.LogX, AtPoints: f.LogX, Text: unitText(f.XUnit)},
		Y: plot.Axis{Label: f.YLabel, Log: f.LogY, Text: unitText(f.YUnit)}}
	for i, s := range f.Series {
		line := plot.Series{Name: s.Name, Style: i}
		for _, p := range s.Points {
			line.Points = append(line.Points, plot.Point{X: p[0], Y: p[1]})
		}
		c.Series = append(c.Series, line)
	}
	return c.Draw()
}

func drawBars(f *claims.Figure) *plot.Drawing {
	b := plot.Bars{Title: f.Title, Label: f.YLabel, Text: unitText(f.YUnit), Categories: f.Categories}
	for _, s := range f.Series {
		bar := plot.BarSeries{Name: s.Name, Values: make([]float64, len(f.Categories))}
		for i := range bar.Values {
			bar.Values[i] = math.NaN()
		}
		for _, p := range s.Points {
			if at := int(p[0]); at >= 0 && at < len(bar.Values) {
				bar.Values[at] = p[1]
			}
		}
		b.Series = append(b.Series, bar)
	}
	return b.Draw()
}

func unitText(unit string) func(float64) string {
	switch unit {
	case claims.Bytes:
		return func(v float64) string { return size(int(v)) }
	case claims.Nanoseconds:
		return short(seconds)
	}
	return func(v float64) string { return Trimmed(fmt.Sprintf("%.2f", v)) }
}

package compare

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// Spread collects, of comparisons of a build with itself, the largest change of
// each tested metric: how much a machine differs from itself.
type Spread map[string]float64

// Add takes a comparison in.
func (s Spread) Add(c *Comparison) {
	for i := range c.Cells {
		if cell := &c.Cells[i]; cell.P != nil {
			s[cell.Metric] = max(s[cell.Metric], math.Abs(math.Log1p(cell.Change)))
		}
	}
}

// Threshold proposed for a metric, as a share: margin times the largest change,
// rounded up to a whole per cent.
func (s Spread) Threshold(metric string, margin float64) float64 {
	return max(1, math.Ceil(100*math.Expm1(margin*s[metric]))) / 100
}

// Write prints the changes and the proposed flags.
func (s Spread) Write(w io.Writer, margin float64) error {
	var flags []string
	for _, m := range metrics {
		if _, seen := s[m.name]; !seen {
			continue
		}
		proposed := s.Threshold(m.name, margin)
		flags = append(flags, fmt.Sprintf("--threshold %s=%.0f%%", m.name, 100*proposed))
		if _, err := fmt.Fprintf(w, "%-11s differed from itself by up to %.1f%%; proposed threshold %.0f%%\n",
			m.name, 100*math.Expm1(s[m.name]), 100*proposed); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, strings.Join(flags, " "))
	return err
}

package compare

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"ipcbench/harness"
	"ipcbench/results"
)

// Calibration is how much a machine differs from itself.
type Calibration struct {
	// Runs that it is made of.
	Runs int
	// Paired: between the two sides of a paired run. Apart: between runs that
	// were made one after the other.
	Paired, Apart Spread
}

// calibrationMargin is what a proposed threshold leaves above the largest change
// that was seen: with few repeats, the next may well be larger.
const calibrationMargin = 1.5

// errFewRuns reports a calibration of fewer than two runs.
var errFewRuns = errors.New("a calibration takes two runs or more")

// Calibrate compares the sides of paired runs of one build with itself, and the
// runs among each other.
func Calibrate(runs []*results.Result) (*Calibration, error) {
	if len(runs) < 2 {
		return nil, errFewRuns
	}
	c := &Calibration{Runs: len(runs), Paired: Spread{}, Apart: Spread{}}
	o := Options{Thresholds: DefaultThresholds(), AllowEnvDiff: true}
	var sides []*Measurements
	for _, r := range runs {
		pair, err := Paired(r, o)
		if err != nil {
			return nil, err
		}
		c.Paired.add(pair)
		side, err := fromResult(r, func(cell *results.Cell) bool { return cell.Variant == harness.OldBuild })
		if err != nil {
			return nil, err
		}
		for _, earlier := range sides {
			apart, err := Compare(earlier, side, o)
			if err != nil {
				return nil, err
			}
			c.Apart.add(apart)
		}
		sides = append(sides, side)
	}
	return c, nil
}

// Spread is the largest change of each tested metric that was seen in comparisons
// of a build with itself, as a logarithm.
type Spread map[string]float64

func (s Spread) add(c *Comparison) {
	for i := range c.Cells {
		if cell := &c.Cells[i]; cell.P != nil {
			s[cell.Metric] = max(s[cell.Metric], math.Abs(math.Log1p(cell.Change)))
		}
	}
}

// Largest change of a metric, as a share.
func (s Spread) Largest(metric string) float64 { return math.Expm1(s[metric]) }

// Threshold proposed for a metric, as a share: half as much again as the largest
// change, rounded up to a whole per cent.
func (s Spread) Threshold(metric string) float64 {
	return max(1, math.Ceil(100*math.Expm1(calibrationMargin*s[metric]))) / 100
}

// Write prints the changes, and the commands that have the thresholds that are
// proposed; cells is the flags that choose what was measured.
func (c *Calibration) Write(w io.Writer, cells string) error {
	header := []string{"metric", "in a paired run", "threshold", "between two runs", "threshold"}
	var rows [][]string
	for _, m := range metrics {
		if _, seen := c.Paired[m.name]; seen {
			rows = append(rows, []string{m.name, percent(c.Paired.Largest(m.name)), percent(c.Paired.Threshold(m.name)),
				percent(c.Apart.Largest(m.name)), percent(c.Apart.Threshold(m.name))})
		}
	}
	if err := results.TextTable(w, header, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nThe largest changes that %d runs of one build showed, and half as much again as threshold.\n\n"+
		"ipcbench run %s --against OLD-BUILD --threshold %s\nipcbench compare --threshold %s OLD NEW\n",
		c.Runs, cells, c.Paired.flag(), c.Apart.flag())
	return err
}

// flag is the value of --threshold for all metrics that were seen; the others
// keep their defaults.
func (s Spread) flag() string {
	var list []string
	for _, m := range metrics {
		if _, seen := s[m.name]; seen {
			list = append(list, fmt.Sprintf("%s=%.0f%%", m.name, 100*s.Threshold(m.name)))
		}
	}
	return strings.Join(list, ",")
}

func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }

package compare

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ipcbench/harness"
	"ipcbench/results"
)

// Options of a comparison.
type Options struct {
	Thresholds Thresholds
	// AllowEnvDiff compares what different machines or plans gave, with a
	// warning.
	AllowEnvDiff bool
}

// Compare compares all cells of an old result with those of a new one. It
// wraps ErrNotComparable where machine or plan differ, or cells are missing.
func Compare(old, young *Measurements, o Options) (*Comparison, error) {
	c := &Comparison{Schema: Schema}
	if differences := differ(old.conditions, young.conditions); len(differences) > 0 {
		said := strings.Join(differences, "; ")
		if !o.AllowEnvDiff {
			return nil, fmt.Errorf("%w: %s", ErrNotComparable, said)
		}
		c.Warnings = append(c.Warnings, "not measured alike: "+said)
	}
	c.warn(old, young)
	return c, c.judge(old, young, apart{}, o.Thresholds)
}

// warn repeats the warnings of both sides.
func (c *Comparison) warn(old, young *Measurements) {
	for _, warning := range append(slices.Clone(old.warnings), young.warnings...) {
		if !slices.Contains(c.Warnings, warning) {
			c.Warnings = append(c.Warnings, warning)
		}
	}
}

// Paired compares the two builds of one run.
func Paired(r *results.Result, o Options) (*Comparison, error) {
	of := func(build string) (*Measurements, error) {
		return fromResult(r, func(c *results.Cell) bool { return c.Variant == build })
	}
	old, err := of(harness.OldBuild)
	if err != nil {
		return nil, fmt.Errorf("paired run, old build: %w", err)
	}
	young, err := of(harness.NewBuild)
	if err != nil {
		return nil, fmt.Errorf("paired run, new build: %w", err)
	}
	c := &Comparison{Schema: Schema, Paired: true}
	c.warn(old, young)
	return c, c.judge(old, young, paired{}, o.Thresholds)
}

// Differences lists the conditions, machine and plan, in which two results
// differ, in words.
func Differences(old, young *results.Result) []string {
	return differ(conditionsOf(old), conditionsOf(young))
}

// differ lists the conditions that both sides know and that are not equal.
func differ(old, young map[string]string) (list []string) {
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if other, known := young[name]; known && other != old[name] {
			list = append(list, fmt.Sprintf("%s %q and %q", name, old[name], other))
		}
	}
	return list
}

// judge fills the cells, in the order of the old side.
func (c *Comparison) judge(old, young *Measurements, d design, thresholds Thresholds) error {
	others := map[harness.Key]*row{}
	for _, r := range young.rows {
		others[r.key] = r
	}
	var tests []*test
	var missing []string
	for _, r := range old.rows {
		other := others[r.key]
		delete(others, r.key)
		if other == nil {
			missing = append(missing, results.Describe(r.key))
			continue
		}
		tests = append(tests, testsOf(r, other, d, thresholds)...)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: the new side lacks %s", ErrNotComparable, strings.Join(missing, ", "))
	}
	if len(tests) == 0 {
		return fmt.Errorf("%w: no metric that both sides have", ErrNotComparable)
	}
	if len(others) > 0 {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%d cells of the new side have nothing to be compared with", len(others)))
	}
	holm(tests)
	for _, t := range tests {
		t.conclude()
		c.Cells = append(c.Cells, t.Cell)
	}
	c.conclude()
	return nil
}

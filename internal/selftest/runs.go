package selftest

import (
	"context"
	"fmt"
	"io"
	"slices"

	"ipcbench/harness"
	"ipcbench/results"
)

// runs makes ten default runs one after the other, as a user would who repeats
// one, and counts the intervals that miss what the other runs found: those of the
// four cells, which are judged, and those of all rows. Unlike intervals it lets in
// whatever the machine changes from one minute to the next.
func runs(ctx context.Context, b *Bench, w io.Writer) error {
	plan := harness.DefaultPlan()
	found := map[harness.Key][][2]float64{}
	var order []harness.Key
	for i := range repeats {
		b.tell(i, repeats, fmt.Sprintf("run %d of %d", i+1, repeats))
		plan.Seed++
		r, err := b.measure(ctx, plan, nil, nil)
		if err != nil {
			return err
		}
		for j := range r.Cells {
			c := &r.Cells[j]
			if i == 0 {
				order = append(order, c.Key)
			}
			if ci := results.Interval(c.RoundP50NS); ci != nil {
				found[c.Key] = append(found[c.Key], *ci)
			}
		}
	}
	return judgeRuns(w, order, found)
}

func judgeRuns(w io.Writer, order []harness.Key, found map[harness.Key][][2]float64) error {
	four, names := fourCells()
	missed, counted, allMissed, all := 0, 0, 0, 0
	for _, k := range order {
		m, n := misses(found[k]), len(found[k])
		allMissed, all = allMissed+m, all+n
		if !slices.Contains(names, k.Transport) || !slices.Contains(four.Sizes, k.RequestBytes) {
			continue
		}
		missed, counted = missed+m, counted+n
		fmt.Fprintf(w, "%-12s %6d B  %2d of %d intervals miss the median of the other runs\n", k.Transport, k.RequestBytes, m, n)
	}
	most := counted * missShare / 100
	fmt.Fprintf(w, "in all: %d of %d miss; at most %d may (of all rows: %d of %d)\n", missed, counted, most, allMissed, all)
	if counted == 0 || missed > most {
		return fmt.Errorf("%w: %d of %d intervals miss", ErrFailed, missed, counted)
	}
	return nil
}

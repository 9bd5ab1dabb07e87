package selftest

import (
	"context"
	"fmt"
	"io"
	"time"

	"ipcbench/harness"
	"ipcbench/results"
)

const (
	slowPercent = 10
	// foundShare is how many of ten slow-downs must be found in each cell.
	foundShare = 9
)

// slowdown runs each cell beside a twin whose operations take a tenth longer,
// and counts how often the order of the two is found.
func slowdown(ctx context.Context, b *Bench, w io.Writer) error {
	plan, names := fourCells()
	first, err := b.measure(ctx, plan, names, nil)
	if err != nil {
		return err
	}
	p50 := map[harness.Key]time.Duration{}
	for _, c := range first.Cells {
		p50[c.Key] = time.Duration(*c.Latency.P50)
	}
	slow := func(r *harness.Run) {
		r.AddVariant("slowed", func(k harness.Key) harness.Injection {
			return harness.Injection{Delay: p50[k] * slowPercent / 100}
		})
	}
	found := map[harness.Key]int{}
	for i := range repeats {
		b.tell(i, repeats, fmt.Sprintf("run %d of %d", i+1, repeats))
		plan.Seed++
		r, err := b.measure(ctx, plan, names, slow)
		if err != nil {
			return err
		}
		countFound(r, found)
	}
	return judgeFound(w, first, found)
}

// countFound counts the cells of a run that are faster than their slowed twins.
func countFound(r *results.Result, found map[harness.Key]int) {
	for i := range r.Cells {
		for j := range r.Cells {
			a, b := &r.Cells[i], &r.Cells[j]
			if a.Key == b.Key && a.Variant == "" && b.Variant != "" && results.Order(a, b).Verdict == results.Faster {
				found[a.Key]++
			}
		}
	}
}

func judgeFound(w io.Writer, first *results.Result, found map[harness.Key]int) (err error) {
	for i := range first.Cells {
		c := &first.Cells[i]
		n := found[c.Key]
		fmt.Fprintf(w, "%s  a slow-down of %d %% was found in %d of %d runs; at least %d are needed\n",
			cellName(c), slowPercent, n, repeats, foundShare)
		if n < foundShare {
			err = fmt.Errorf("%w: %s: found in %d of %d", ErrFailed, cellName(c), n, repeats)
		}
	}
	return err
}

package selftest

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/montanaflynn/stats"

	"ipcbench/results"
)

const (
	repeats = 10
	// missShare is how many of a hundred 95 % intervals may miss: five are
	// due, and ten are still in keeping with that for the forty counted here.
	missShare = 10
	// A virtual machine changes between faster and slower states that last for
	// seconds or longer. Generations that all fall into one of them know
	// nothing of the other, so a run is given time to meet both.
	longRounds    = 12
	longRoundTime = 50 * time.Millisecond
)

// intervals repeats one run and counts the intervals that miss what the other
// runs found.
func intervals(ctx context.Context, b *Bench, w io.Writer) error {
	plan, names := fourCells()
	plan.Rounds, plan.RoundTime = longRounds, longRoundTime
	cells := map[string][]results.Latency{}
	var order []string
	for i := range repeats {
		b.tell(i, repeats, fmt.Sprintf("run %d of %d", i+1, repeats))
		plan.Seed++
		r, err := b.measure(ctx, plan, names, nil)
		if err != nil {
			return err
		}
		for j := range r.Cells {
			name := cellName(&r.Cells[j])
			if cells[name] == nil {
				order = append(order, name)
			}
			cells[name] = append(cells[name], r.Cells[j].Latency)
		}
	}
	missed, counted := 0, 0
	for _, name := range order {
		m, n := misses(cells[name])
		fmt.Fprintf(w, "%s  %d of %d intervals miss the median of the other runs\n", name, m, n)
		missed, counted = missed+m, counted+n
	}
	fmt.Fprintf(w, "in all %d of %d miss; at most %d may\n", missed, counted, counted*missShare/100)
	if counted == 0 || missed*100 > counted*missShare {
		return fmt.Errorf("%w: %d of %d intervals miss", ErrFailed, missed, counted)
	}
	return nil
}

func misses(runs []results.Latency) (missed, counted int) {
	for i, run := range runs {
		if run.P50CI == nil {
			continue
		}
		var others []float64
		for j, other := range runs {
			if j != i {
				others = append(others, *other.P50)
			}
		}
		median, err := stats.Median(others)
		if err != nil {
			continue
		}
		counted++
		if median < run.P50CI[0] || median > run.P50CI[1] {
			missed++
		}
	}
	return missed, counted
}

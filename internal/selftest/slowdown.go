package selftest

import (
	"context"
	"errors"
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
	// mistakeShare is how many of a hundred equal twins may be told apart.
	// Five are due; fifteen of the forty counted here come once in 300 tests.
	mistakeShare = 15
)

// The twins of a cell.
const (
	slowedTwin = "slowed"
	equalTwin  = "equal"
)

// slowdown runs each cell beside a twin whose operations take a tenth longer and
// one that is its equal, and counts how often the order of them is found.
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
	twins := func(r *harness.Run) {
		r.AddVariant(slowedTwin, func(k harness.Key) harness.Injection {
			return harness.Injection{Delay: p50[k] * slowPercent / 100}
		})
		r.AddVariant(equalTwin, func(harness.Key) harness.Injection { return harness.Injection{} })
	}
	count := verdicts{}
	for i := range repeats {
		b.tell(i, repeats, fmt.Sprintf("run %d of %d", i+1, repeats))
		plan.Seed++
		r, err := b.measure(ctx, plan, names, twins)
		if err != nil {
			return err
		}
		count.add(r)
	}
	return errors.Join(count.judgeFound(w, first), count.judgeMistakes(w, first))
}

// verdicts counts, of each cell's twins, in how many runs the order of the cell
// before the twin was said to be what.
type verdicts map[harness.Key]map[string]map[results.Verdict]int

func (v verdicts) add(r *results.Result) {
	for i := range r.Cells {
		for j := range r.Cells {
			a, b := &r.Cells[i], &r.Cells[j]
			if a.Key != b.Key || a.Variant != "" || b.Variant == "" {
				continue
			}
			if v[a.Key] == nil {
				v[a.Key] = map[string]map[results.Verdict]int{slowedTwin: {}, equalTwin: {}}
			}
			v[a.Key][b.Variant][results.Order(a, b).Verdict]++
		}
	}
}

func (v verdicts) judgeFound(w io.Writer, first *results.Result) (err error) {
	for i := range first.Cells {
		c := &first.Cells[i]
		n := v[c.Key][slowedTwin][results.Faster]
		fmt.Fprintf(w, "%s  a slow-down of %d %% was found in %d of %d runs; at least %d are needed\n",
			cellName(c), slowPercent, n, repeats, foundShare)
		if n < foundShare {
			err = fmt.Errorf("%w: %s: found in %d of %d", ErrFailed, cellName(c), n, repeats)
		}
	}
	return err
}

// judgeMistakes counts the equals that were told apart or could not be compared.
func (v verdicts) judgeMistakes(w io.Writer, first *results.Result) error {
	mistakes, counted := 0, len(first.Cells)*repeats
	for i := range first.Cells {
		c := &first.Cells[i]
		n := repeats - v[c.Key][equalTwin][results.NotDistinguishable]
		fmt.Fprintf(w, "%s  told from its equal in %d of %d runs\n", cellName(c), n, repeats)
		mistakes += n
	}
	most := counted * mistakeShare / 100
	fmt.Fprintf(w, "in all, told from its equal: %d of %d; at most %d may\n", mistakes, counted, most)
	if mistakes > most {
		return fmt.Errorf("%w: %d of %d equals were told apart", ErrFailed, mistakes, counted)
	}
	return nil
}

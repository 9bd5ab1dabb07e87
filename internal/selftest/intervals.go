package selftest

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/montanaflynn/stats"

	"ipcbench/results"
)

const (
	repeats = 10
	// missShare is how many of a hundred 95 % intervals may miss: five are
	// due, and ten are still in keeping with that for the forty counted here.
	missShare = 10
	// A generation is given a second, all of them a minute.
	longRoundTime = 30 * time.Millisecond
)

// dealing says which generations of one long measurement make up each run, of so
// many each.
type dealing struct {
	name string
	deal func(each int) [repeats][]int
}

// A virtual machine changes between faster and slower states that last for many
// seconds. Runs one after the other meet different ones, and an interval from
// within one state knows nothing of the other; runs whose generations take turns
// meet the same ones. Statistics vouch for the latter only.
var dealings = []dealing{{judged, inTurns}, {"one after the other", oneByOne}}

const judged = "generations take turns"

// inTurns gives one of any ten generations in a row to each run, in an order of
// their own each time: the machine may have a rhythm.
func inTurns(each int) (runs [repeats][]int) {
	random := rand.New(rand.NewPCG(1, 2))
	for g := range each {
		for run, place := range random.Perm(repeats) {
			runs[run] = append(runs[run], g*repeats+place)
		}
	}
	return runs
}

func oneByOne(each int) (runs [repeats][]int) {
	for i := range repeats * each {
		runs[i/each] = append(runs[i/each], i)
	}
	return runs
}

// intervals measures ten runs and counts the intervals that miss what the other
// runs found.
func intervals(ctx context.Context, b *Bench, w io.Writer) error {
	plan, names := fourCells()
	each := plan.Generations
	plan.RoundTime, plan.Generations = longRoundTime, repeats*each
	b.tell(0, 1, fmt.Sprintf("%d runs", repeats))
	r, err := b.measure(ctx, plan, names, nil)
	if err != nil {
		return err
	}
	var failed error
	for _, d := range dealings {
		missed, counted := 0, 0
		for i := range r.Cells {
			all := d.intervals(r.Cells[i].RoundP50NS, each)
			m, n := misses(all), len(all)
			fmt.Fprintf(w, "%s  %-22s %2d of %d intervals miss the median of the other runs\n", cellName(&r.Cells[i]), d.name, m, n)
			missed, counted = missed+m, counted+n
		}
		fmt.Fprintf(w, "in all, %s: %d of %d miss", d.name, missed, counted)
		if d.name != judged {
			fmt.Fprintln(w, "; what the machine changes from run to run is in no interval")
			continue
		}
		fmt.Fprintf(w, "; at most %d may\n", counted*missShare/100)
		if counted == 0 || missed*100 > counted*missShare {
			failed = fmt.Errorf("%w: %d of %d intervals miss", ErrFailed, missed, counted)
		}
	}
	return failed
}

// intervals of a cell's runs; a generation that was not measured is left out.
func (d dealing) intervals(generations [][]float64, each int) (all [][2]float64) {
	for _, run := range d.deal(each) {
		var own [][]float64
		for _, g := range run {
			if g < len(generations) {
				own = append(own, generations[g])
			}
		}
		if ci := results.Interval(own); ci != nil {
			all = append(all, *ci)
		}
	}
	return all
}

// misses counts the intervals that do not hold the median of the other runs'
// latency of a typical generation, which is the middle of theirs.
func misses(intervals [][2]float64) (missed int) {
	for i, own := range intervals {
		var others []float64
		for j, ci := range intervals {
			if j != i {
				others = append(others, math.Sqrt(ci[0]*ci[1]))
			}
		}
		median, err := stats.Median(others)
		if err != nil || median < own[0] || median > own[1] {
			missed++
		}
	}
	return missed
}

package selftest

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"ipcbench/harness"
	"ipcbench/harness/env"
	"ipcbench/results"
	"ipcbench/results/compare"
)

// gateCase is one kind of regression, and in how many of sixty runs the gate
// must, or may at most, fire.
type gateCase struct {
	name   string
	inject func(p50 time.Duration) harness.Injection
	must   int
	most   bool
}

// gateOf is the number of runs that must is said of.
const gateOf = 60

var gateCases = []gateCase{
	{"A/A", func(time.Duration) harness.Injection { return harness.Injection{} }, 2, true},
	{"10 % slower", func(p50 time.Duration) harness.Injection { return harness.Injection{Delay: p50 / 10} }, 54, false},
	{"25 % slower", func(p50 time.Duration) harness.Injection { return harness.Injection{Delay: p50 / 4} }, 60, false},
	{"a copy more", func(time.Duration) harness.Injection { return harness.Injection{Copies: 1} }, 60, false},
	{"a call more", func(time.Duration) harness.Injection { return harness.Injection{Syscalls: 1} }, 60, false},
}

// gate counts how often paired runs of one cell find what was injected, and how
// often they find something where nothing was.
func gate(ctx context.Context, b *Bench, w io.Writer) (failed error) {
	sizes := []int{64, 64 << 10}
	p50 := map[int]time.Duration{}
	for _, size := range sizes {
		r, err := b.paired(ctx, size, harness.Injection{}, 0)
		if err != nil {
			return err
		}
		p50[size] = time.Duration(*r.Cells[0].Latency.P50)
	}
	for i, c := range gateCases {
		fired := 0
		for run := range b.Runs {
			b.tell(i*b.Runs+run, len(gateCases)*b.Runs, c.name)
			size := sizes[run%len(sizes)]
			r, err := b.paired(ctx, size, c.inject(p50[size]), uint64(1+i*b.Runs+run))
			if err != nil {
				return err
			}
			comparison, err := compare.Paired(r, compare.Options{Thresholds: compare.DefaultThresholds()})
			if err != nil {
				return err
			}
			if comparison.Verdict == compare.Worse {
				fired++
			}
		}
		if err := c.judge(w, fired, b.Runs); err != nil {
			failed = err
		}
	}
	return failed
}

// judge prints a count and holds it against what is asked of it.
func (c gateCase) judge(w io.Writer, fired, runs int) error {
	low, high := wilson(fired, runs)
	need := fmt.Sprintf("at least %d", int(math.Ceil(float64(c.must*runs)/gateOf)))
	good := fired*gateOf >= c.must*runs
	if c.most {
		need = fmt.Sprintf("at most %d", c.must*runs/gateOf)
		good = fired*gateOf <= c.must*runs
	}
	fmt.Fprintf(w, "%-12s worse in %d of %d paired runs (95 %% interval %.1f %% to %.1f %%); %s are asked for\n",
		c.name, fired, runs, 100*low, 100*high, need)
	if !good {
		return fmt.Errorf("%w: %s: %d of %d", ErrFailed, c.name, fired, runs)
	}
	return nil
}

// paired measures one cell of about five seconds, this program against itself.
func (b *Bench) paired(ctx context.Context, size int, injected harness.Injection, seed uint64) (*results.Result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := harness.DefaultPlan()
	p.Sizes, p.Seed = []int{size}, seed
	p.Generations, p.Rounds, p.RoundTime = 24, 3, 10*time.Millisecond
	r, err := harness.Prepare(b.Transports, p, []string{"pipe"})
	if err != nil {
		return nil, err
	}
	r.Pair(self, self, func(harness.Key) harness.Injection { return injected })
	m, err := r.Measure(ctx, nil)
	if err != nil {
		return nil, err
	}
	return results.Build(env.Environment{}, m), nil
}

// wilson is the 95 % score interval for a share of which k of n were seen.
func wilson(k, n int) (low, high float64) {
	const z = 1.959964
	share, size := float64(k)/float64(n), float64(n)
	middle := share + z*z/(2*size)
	half := z * math.Sqrt(share*(1-share)/size+z*z/(4*size*size))
	scale := 1 + z*z/size
	return max(0, (middle-half)/scale), min(1, (middle+half)/scale)
}

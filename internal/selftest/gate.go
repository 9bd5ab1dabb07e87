package selftest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"ipcbench/harness"
	"ipcbench/harness/env"
	"ipcbench/results"
	"ipcbench/results/compare"
)

// gateCase is one kind of regression, and in how many of sixty runs the gate
// must, or may at most, fire.
type gateCase struct {
	// name on the command line, and in words.
	name, words string
	inject      func(p50 time.Duration) harness.Injection
	must        int
	most        bool
}

// gateOf is the number of runs that must is said of.
const gateOf = 60

var gateCases = []gateCase{
	{"aa", "nothing injected", func(time.Duration) harness.Injection { return harness.Injection{} }, 2, true},
	{"slow10", "10 % slower", func(p50 time.Duration) harness.Injection { return harness.Injection{Delay: p50 / 10} }, 54, false},
	{"slow25", "25 % slower", func(p50 time.Duration) harness.Injection { return harness.Injection{Delay: p50 / 4} }, 60, false},
	{"copy", "a copy more", func(time.Duration) harness.Injection { return harness.Injection{Copies: 1} }, 60, false},
	{"syscall", "a system call more", func(time.Duration) harness.Injection { return harness.Injection{Syscalls: 1} }, 60, false},
}

// gateSizes are the payloads that a case's runs take in turn.
var gateSizes = []int{64, 64 << 10}

// GateCases are the names of the gate's cases.
func GateCases() (names []string) {
	for _, c := range gateCases {
		names = append(names, c.name)
	}
	return names
}

// CheckGateCases reports a name that is no case of the gate.
func CheckGateCases(names []string) error {
	for _, name := range names {
		if !slices.Contains(GateCases(), name) {
			return fmt.Errorf("unknown case %q of the gate (have %s)", name, strings.Join(GateCases(), ", "))
		}
	}
	return nil
}

// gate counts how often paired runs of one cell find what was injected, and how
// often they find something where nothing was.
func gate(ctx context.Context, b *Bench, w io.Writer) (failed error) {
	g := &gateRun{Bench: b, p50: map[int]time.Duration{}}
	for i, c := range gateCases {
		if len(b.Cases) > 0 && !slices.Contains(b.Cases, c.name) {
			continue
		}
		t, err := g.count(ctx, c, uint64(i)<<32)
		t.write(w, c)
		if err != nil {
			return err
		}
		if err := c.judge(w, t.fired, t.runs); err != nil {
			failed = err
		}
	}
	return failed
}

// gateRun knows what the machine's latency is at the moment.
type gateRun struct {
	*Bench
	// p50 of the old build by payload, in the run before: a tenth of it is
	// what "10 % slower" is.
	p50 map[int]time.Duration
}

// count runs one case. It returns what was counted also when it was interrupted.
func (g *gateRun) count(ctx context.Context, c gateCase, seed uint64) (t tally, err error) {
	begun := time.Now()
	for run := range g.Runs {
		g.tell(run, g.Runs, fmt.Sprintf("%s: %d worse in %d runs", c.words, t.fired, t.runs))
		size := gateSizes[run%len(gateSizes)]
		if g.p50[size] == 0 {
			if _, err := g.compared(ctx, size, harness.Injection{}, seed); err != nil {
				return t, err
			}
		}
		comparison, err := g.compared(ctx, size, c.inject(g.p50[size]), seed+uint64(1+run))
		if err != nil {
			return t, err
		}
		t.add(size, comparison)
		t.elapsed = time.Since(begun)
	}
	return t, nil
}

// compared measures one cell with this program against itself, and compares.
func (g *gateRun) compared(ctx context.Context, size int, injected harness.Injection, seed uint64) (*compare.Comparison, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := harness.PairedPlan()
	p.Sizes, p.Seed = []int{size}, seed
	r, err := harness.Prepare(g.Transports, p, []string{"pipe"})
	if err != nil {
		return nil, err
	}
	r.Pair(self, self, func(harness.Key) harness.Injection { return injected })
	m, err := r.Measure(ctx, nil)
	if err != nil {
		return nil, err
	}
	result := results.Build(env.Environment{}, m)
	g.p50[size] = time.Duration(*result.Cells[0].Latency.P50)
	return compare.Paired(result, compare.Options{Thresholds: compare.DefaultThresholds()})
}

// tally is what the runs of a case came to.
type tally struct {
	runs, fired int
	bySize      map[int]*[2]int // fired, runs
	byMetric    map[string]int
	elapsed     time.Duration
}

func (t *tally) add(size int, c *compare.Comparison) {
	if t.bySize == nil {
		t.bySize, t.byMetric = map[int]*[2]int{}, map[string]int{}
	}
	if t.bySize[size] == nil {
		t.bySize[size] = &[2]int{}
	}
	t.runs++
	t.bySize[size][1]++
	if c.Verdict != compare.Worse {
		return
	}
	t.fired++
	t.bySize[size][0]++
	for i := range c.Cells {
		if c.Cells[i].Verdict == compare.Worse {
			t.byMetric[c.Cells[i].Metric]++
		}
	}
}

// write prints the count of a case with its interval and what it is made of.
func (t *tally) write(w io.Writer, c gateCase) {
	if t.runs == 0 {
		return
	}
	low, high := wilson(t.fired, t.runs)
	fmt.Fprintf(w, "%-18s worse in %d of %d paired runs (95 %% interval %.1f %% to %.1f %%), %.1f s a run\n",
		c.words, t.fired, t.runs, 100*low, 100*high, t.elapsed.Seconds()/float64(t.runs))
	var parts []string
	for _, size := range slices.Sorted(maps.Keys(t.bySize)) {
		parts = append(parts, fmt.Sprintf("%s: %d of %d", results.Payload(size, size), t.bySize[size][0], t.bySize[size][1]))
	}
	for _, metric := range slices.Sorted(maps.Keys(t.byMetric)) {
		parts = append(parts, fmt.Sprintf("by %s: %d", metric, t.byMetric[metric]))
	}
	fmt.Fprintf(w, "  %s\n", strings.Join(parts, ", "))
}

// judge holds a count against what is asked of it.
func (c gateCase) judge(w io.Writer, fired, runs int) error {
	need := fmt.Sprintf("at least %d", int(math.Ceil(float64(c.must*runs)/gateOf)))
	good := fired*gateOf >= c.must*runs
	if c.most {
		need = fmt.Sprintf("at most %d", c.must*runs/gateOf)
		good = fired*gateOf <= c.must*runs
	}
	fmt.Fprintf(w, "  %s are asked for: %s\n", need, map[bool]string{true: "passed", false: "FAILED"}[good])
	if !good {
		return fmt.Errorf("%w: %s: %d of %d", ErrFailed, c.words, fired, runs)
	}
	return nil
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

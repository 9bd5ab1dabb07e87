package results

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ipcbench/harness"
)

func TestPercentilesNeedTheirSample(t *testing.T) {
	for _, c := range []struct {
		samples int
		want    string
	}{
		{1, ""}, {19, ""}, {20, "p50"}, {99, "p50"}, {100, "p50 p90"},
		{999, "p50 p90"}, {1000, "p50 p90 p99"}, {10000, "p50 p90 p99 p99.9"}, {100000, "p50 p90 p99 p99.9 p99.99"},
	} {
		h := hdrhistogram.New(1, 1e9, 3)
		for i := range c.samples {
			_ = h.RecordValue(int64(i + 1))
		}
		l := latencyOf(h)
		var got []string
		for _, p := range []percentile{p50, p90, p99, p999, p9999} {
			if *p.of(&l) != nil {
				got = append(got, p.name)
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%d samples support %q, want %q", c.samples, s, c.want)
		}
		if l.Min == nil || l.Mean == nil || l.Max == nil {
			t.Errorf("%d samples: minimum, mean or maximum is absent", c.samples)
		}
	}
	if l := latencyOf(nil); l != (Latency{}) {
		t.Errorf("no histogram gives %+v", l)
	}
}

// The interval is named by its promise: over many runs, it holds the true value
// in 95 of 100.
func TestIntervalCoverage(t *testing.T) {
	const runs, truth = 2000, 10000.0
	rng := rand.New(rand.NewPCG(3, 4))
	held := 0
	for range runs {
		generations := make([][]float64, 5)
		for g := range generations {
			luck := math.Exp(0.1 * rng.NormFloat64())
			for range 4 {
				generations[g] = append(generations[g], truth*luck*math.Exp(0.01*rng.NormFloat64()))
			}
		}
		ci := Interval(generations)
		if ci == nil {
			t.Fatal("no interval of five generations")
		}
		if ci[0] <= truth && truth <= ci[1] {
			held++
		}
	}
	if share := float64(held) / runs; share < 0.93 || share > 0.97 {
		t.Errorf("%.1f %% of the 95 %% intervals hold the true value", 100*share)
	}
}

func TestIntervalNeedsGenerations(t *testing.T) {
	if ci := Interval([][]float64{{1, 2, 3, 4, 5, 6}, {2, 3}}); ci != nil {
		t.Errorf("two generations give %v, however many rounds they have", ci)
	}
	if ci := Interval([][]float64{{1}, {}, {2}, {3}}); ci == nil {
		t.Error("three generations give none")
	}
	if ci := Interval([][]float64{{0}, {1}, {2}}); ci != nil {
		t.Errorf("a latency of 0 gives %v", ci)
	}
}

func TestBuildSaysWherePagesAreSmall(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	m := &harness.Measured{Plan: harness.Plan{HugePages: true}}
	m.Cells = []harness.CellRecord{sampleCell(rng, "pipe", 64, 1000, 0.01, 2), sampleCell(rng, "shm", 64, 1000, 0.01, 1)}
	for _, rounds := range m.Cells[0].Generations {
		for i := range rounds {
			rounds[i].HugePages = true
		}
	}
	m.Floors = []harness.FloorRecord{sampleFloor(rng, "composite", 64, 900)}
	r := Build(sampleEnvironment(), m)
	if w := r.Cells[0].Warnings; len(w) != 0 || r.Cells[0].SmallPages || !r.Cells[1].SmallPages {
		t.Errorf("on huge pages: %q", w)
	}
	for _, warnings := range [][]string{r.Cells[1].Warnings, r.Floors[0].Warnings} {
		if len(warnings) != 1 || !strings.Contains(warnings[0], "small pages") {
			t.Errorf("on small pages: %q", warnings)
		}
	}
}

func TestBuildDividesByWhatIsCovered(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	record := sampleCell(rng, "pipe", 4096, 1000, 0.01, 2)
	for g := range record.Generations {
		for i := range record.Generations[g] {
			r := &record.Generations[g][i]
			r.Elapsed = time.Second
			r.CostOperations *= 2 // the warm-up
			r.Missed = 50
		}
	}
	c := Build(sampleEnvironment(), &harness.Measured{Cells: []harness.CellRecord{record}}).Cells[0]
	for _, f := range []struct {
		what      string
		got, want float64
	}{
		{"operations per second", c.OperationsPerSecond, 1000},
		{"payload bytes per second", c.PayloadBytesPerSecond, 1000 * 4096},
		{"calls per operation", c.SyscallsPerOp, 2},
		{"switches per operation", c.ContextSwitchesPerOp, 1},
		{"CPU per operation", c.CPUNSPerOp, 4000},
		{"copies of the request", *c.Copies.Request, 2},
		{"missed per operation", c.MissedPerOp, 0.05},
	} {
		if math.Abs(f.got-f.want) > 1e-9*f.want {
			t.Errorf("%s: %g, want %g", f.what, f.got, f.want)
		}
	}
	if !strings.Contains(strings.Join(c.Warnings, "\n"), "5.0 % of the operations began more than a period late") {
		t.Errorf("missed operations go without a warning: %q", c.Warnings)
	}
	if back, err := hdrhistogram.Decode([]byte(c.Histogram)); err != nil || !back.Equals(record.Latency) {
		t.Errorf("the histogram does not come back: %v", err)
	}
}

func TestFloorRatioIsOfLikeWork(t *testing.T) {
	r := sample()
	c := r.Cells[0]
	if got, want := floorRatio(&c, r.Floors), *c.Latency.P50 / *r.Floors[0].Latency.P50; got != want {
		t.Errorf("ratio is %g, want %g", got, want)
	}
	for what, change := range map[string]func(*Cell){
		"another wait":      func(c *Cell) { c.Wait = "spin" },
		"another placement": func(c *Cell) { c.Placement = "same" },
		"another size":      func(c *Cell) { c.ReplyBytes = 16 },
		"many clients":      func(c *Cell) { c.Clients = 4 },
		"one-way":           func(c *Cell) { c.Workload = oneWay },
	} {
		other := c
		change(&other)
		if got := floorRatio(&other, r.Floors); got != 0 {
			t.Errorf("%s has a ratio of %g", what, got)
		}
	}
}

// A run that ended before its first round has cells, and says of each that
// nothing was measured.
func TestBuildOfNothing(t *testing.T) {
	c := Build(sampleEnvironment(), &harness.Measured{Cells: []harness.CellRecord{{}}}).Cells[0]
	if len(c.Warnings) == 0 || c.Warnings[0] != "nothing was measured" {
		t.Errorf("warnings are %q", c.Warnings)
	}
}

// TestStateChanges: a cache-line floor whose generations differ in kind is a
// warning, one that varies is none.
func TestStateChanges(t *testing.T) {
	floor := func(p50 ...float64) []Floor {
		f := Floor{Kind: "cacheline"}
		for _, v := range p50 {
			f.RoundP50NS = append(f.RoundP50NS, []float64{v, v + 1})
		}
		return []Floor{f}
	}
	if w := stateChanges(floor(105, 110, 99)); len(w) != 0 {
		t.Errorf("one state: %q", w)
	}
	if w := stateChanges(floor(105, 110, 450)); len(w) != 1 {
		t.Errorf("two states: %q", w)
	}
}

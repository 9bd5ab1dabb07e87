package claims

import (
	"math"
	"slices"
	"testing"

	"ipcbench/harness"
)

var blocking = condition{"block", harness.Same}

// about is a ratio with an interval of a twentieth on each side.
func about(middle float64) ratio { return ratio{middle, middle * 0.95, middle * 1.05, 8} }

// unsure is a ratio whose interval leaves everything open.
func unsure(middle float64) ratio { return ratio{middle, middle / 3, middle * 3, 8} }

// dueling is one rival at ascending sizes, with the latency ratio at each.
func dueling(latencies ...ratio) duels {
	d := duel{condition: blocking, Rival: "pipe"}
	for i, l := range latencies {
		d.Contests = append(d.Contests, contest{Bytes: 64 << (4 * i), Latency: l, Time: l, CPU: l})
	}
	return duels{[]duel{d}}
}

func ablating(ratios ...ratio) ablations {
	var n ablations
	for i, r := range ratios {
		n.Ablations = append(n.Ablations, ablation{blocking, 64 << (4 * i), r})
	}
	n.Parts = []parts{{Bytes: 64, Wake: 5000, Payload: 100, Driver: 900, SecondCopy: 50, Parcel: 300}}
	return n
}

func calling(subject, rival []float64, traced ...tracedCalls) callContests {
	n := callContests{Traced: traced}
	for i := range subject {
		n.Contests = append(n.Contests, callContest{blocking, 64 << (4 * i), calls{subject[i], 2},
			map[string]calls{"pipe": {rival[i], 2}, "sysv-msg": {rival[i] + 4, 2}}})
	}
	return n
}

func init() {
	burning := dueling(about(0.5), about(0.5))
	for i := range burning.Duels[0].Contests {
		burning.Duels[0].Contests[i].CPU = about(3)
	}
	register("C6",
		example{"always faster", dueling(about(0.5), about(0.4)), Supported},
		example{"always slower", dueling(about(1.5), about(1.2)), Refuted},
		example{"as fast", dueling(about(1.02), about(1.02)), Refuted},
		example{"faster at three times the CPU", burning, Refuted},
		example{"from a size on", dueling(about(1.5), about(0.9), about(0.4)), Conditional},
		example{"faster when small only", dueling(about(0.4), about(1.5)), Inconclusive},
		example{"noise", dueling(unsure(0.5), unsure(1.5)), Inconclusive},
		example{"one in two open", dueling(unsure(0.5), about(1.5)), Inconclusive},
		example{"nothing", duels{}, Inconclusive},
	)
	register("C7",
		example{"doubles", ablating(about(2.1), about(2)), Supported},
		example{"costs a third", ablating(about(1.05), about(1.33)), Refuted},
		example{"doubles when large", ablating(about(1.05), about(2.1)), Conditional},
		example{"noise", ablating(unsure(1.5), unsure(2)), Inconclusive},
		example{"nothing", ablations{}, Inconclusive},
	)
	register("C8",
		example{"half of the calls", calling([]float64{2, 2}, []float64{4, 6}, tracedCalls{64, 100, 102}), Supported},
		example{"as many", calling([]float64{4, 4}, []float64{4, 4}, tracedCalls{64, 100, 102}), Refuted},
		example{"as many, no tracepoints", calling([]float64{4, 4}, []float64{4, 4}), Refuted},
		example{"fewer when large", calling([]float64{4, 4}, []float64{4, 8}), Conditional},
		example{"the kernel counted others", calling([]float64{2, 2}, []float64{4, 6}, tracedCalls{64, 100, 200}), Inconclusive},
		example{"a little fewer", calling([]float64{3.3}, []float64{4}), Inconclusive},
	)
	register("C10",
		example{"a futex", synchronisation{Syscalls: 4, Calls: []string{"futex"}, LatencyNS: 9000, CPUNS: 9000, IdleBusy: 0.02, IdleSleeps: 2}, Supported},
		example{"spinning", synchronisation{LatencyNS: 300, CPUNS: 600, IdleBusy: 1}, Supported},
		example{"spinning on a busy machine", synchronisation{LatencyNS: 300, CPUNS: 600, IdleBusy: 0.14}, Supported},
		example{"sleeping, and woken by nothing", synchronisation{LatencyNS: 300, CPUNS: 600, IdleBusy: 0.01, IdleSleeps: 1, IdleMessages: 200}, Refuted},
		example{"spinning on so busy a machine that a round has few messages",
			synchronisation{LatencyNS: 1e6, CPUNS: 1e6, IdleBusy: 0.06, IdleSleeps: 0.8, IdleMessages: 8}, Inconclusive},
		example{"half awake", synchronisation{Syscalls: 0.5, LatencyNS: 300, CPUNS: 600, IdleBusy: 0.3, IdleSleeps: 0.3}, Inconclusive},
	)
}

// cell is generations of one round, with the latencies given.
func cell(latencies ...float64) *harness.CellRecord {
	c := &harness.CellRecord{}
	for _, l := range latencies {
		c.Generations = append(c.Generations, []harness.Round{{P50: l}})
	}
	return c
}

// What changes from generation to generation for both alike is no difference
// between them, however much it is.
func TestRatioIsOfPairs(t *testing.T) {
	r := ratioOf(cell(100, 900, 110, 870, 100, 880), cell(200, 1810, 219, 1750, 201, 1740), p50)
	if math.Abs(r.Middle-0.5) > 0.01 || r.Low < 0.48 || r.High > 0.52 {
		t.Errorf("%v", r)
	}
	if r := ratioOf(cell(100, 100, 100), cell(200, 200, 200), p50); r.Generations != 0 {
		t.Errorf("an interval from three generations: %v", r)
	}
	if r := ratioOf(cell(100, 500, 120, 700, 90), cell(300, 100, 800, 90, 200), p50); r.below(1) || r.above(1) {
		t.Errorf("noise is decided: %v", r)
	}
}

// The tables have each boundary with the intervals on both sides of it.
func TestBoundariesAreTold(t *testing.T) {
	rows := tabulateBoundaries([]string{"binder"}, []duels{dueling(about(1.5), about(0.5), about(0.4))})[0].Rows
	want := []string{"block wait, one CPU", "pipe", "1 KiB", about(0.5).String(), about(1.5).String() + " (64 B)", about(0.4).String() + " (16 KiB)"}
	if len(rows) != 1 || !slices.Equal(rows[0], want) {
		t.Errorf("%q, want %q", rows, want)
	}
	if rows := tabulateBoundaries([]string{"binder"}, []duels{dueling(about(1.5))})[0].Rows; rows[0][2] != "never" {
		t.Errorf("%q", rows)
	}
	n := ablating(about(1.1), about(1.5))
	n.Ablations = append(n.Ablations, ablation{condition{"spin", "cross"}, 64, about(1.2)})
	rows = tabulateAblation([]string{"binder"}, []ablations{n})[0].Rows
	if len(rows) != 2 || rows[0][2] != about(1.2).String() || rows[1][2] != "–" || rows[1][1] != about(1.5).String() {
		t.Errorf("%q", rows)
	}
}

func TestSizesAreAddedWhereARivalIsOvertaken(t *testing.T) {
	for _, c := range []struct {
		duels     duels
		low, high int
	}{
		{dueling(about(1.5), about(0.5), about(0.4)), 64, 1024},
		{dueling(about(0.5), about(1.5), about(0.4)), 1024, 16384},
		{dueling(about(0.5), about(0.4)), 0, 0},
		{dueling(about(1.5), about(1.4)), 0, 0},
	} {
		if low, high := c.duels.Duels[0].gap(); low != c.low || high != c.high {
			t.Errorf("%v: %d to %d, want %d to %d", c.duels, low, high, c.low, c.high)
		}
	}
	if got := middle(4<<10, 64<<10); got != 16<<10 {
		t.Errorf("middle of 4K and 64K is %d", got)
	}
}

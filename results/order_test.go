package results

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"ipcbench/harness"
)

// row is a cell of five generations around a p50, with the luck of a
// generation and the noise of a round.
func row(rng *rand.Rand, name string, p50, luck float64) *Cell {
	c := &Cell{Key: harness.Key{Transport: name, Wait: "block", Placement: "cross", Workload: "echo", Clients: 1}}
	for range 5 {
		typical := p50 * math.Exp(luck*rng.NormFloat64())
		var rounds []float64
		for range 10 {
			rounds = append(rounds, typical*math.Exp(0.002*rng.NormFloat64()))
		}
		c.RoundP50NS = append(c.RoundP50NS, rounds)
	}
	return c
}

func TestOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	slow, fast := row(rng, "slow", 1100, 0.01), row(rng, "fast", 1000, 0.01)
	if c := Order(fast, slow); c.Verdict != Faster || c.Ratio >= 1 || c.String() != "fast is faster than slow (p<0.001)" {
		t.Errorf("%+v: %s", c, c)
	}
	if c := Order(slow, fast); c.Verdict != Slower || c.String() != "fast is faster than slow (p<0.001)" {
		t.Errorf("%+v: %s", c, c)
	}
	few := row(rng, "few", 1, 0.01)
	few.RoundP50NS = few.RoundP50NS[:2]
	if c := Order(few, slow); c.Verdict == Faster || c.Verdict == Slower {
		t.Errorf("two generations were ordered: %s", c)
	}
}

// Rounds of one generation share its luck. A test that took them for
// independent would order rows that do not differ nearly every time.
func TestOrderTakesTheGenerationForTheCluster(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const runs = 400
	ordered := 0
	for range runs {
		if c := Order(row(rng, "a", 1000, 0.05), row(rng, "b", 1000, 0.05)); c.Verdict != NotDistinguishable {
			ordered++
		}
	}
	if ordered > runs*8/100 {
		t.Errorf("%d of %d pairs of equals were ordered at the 5 %% level", ordered, runs)
	}
}

// A machine that changes its speed between two generations changes both rows: the
// order is in their ratio. Rows that differ in one generation only are not in order.
func TestOrderIsOfPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	fast, slow := row(rng, "fast", 1000, 0.005), row(rng, "slow", 1100, 0.005)
	for _, c := range []*Cell{fast, slow} {
		for g := range c.RoundP50NS[:2] {
			for i := range c.RoundP50NS[g] {
				c.RoundP50NS[g][i] *= 1.5
			}
		}
	}
	if c := Order(fast, slow); c.Verdict != Faster || math.Abs(c.Ratio-1/1.1) > 0.02 {
		t.Errorf("%+v", c)
	}
	once := row(rng, "once", 1000, 0.005)
	for i := range once.RoundP50NS[4] {
		once.RoundP50NS[4][i] *= 3
	}
	equal := row(rng, "equal", 1000, 0.005)
	if c := Order(equal, once); c.Verdict != NotDistinguishable {
		t.Errorf("one slow generation of five: %+v", c)
	}
}

func TestPairs(t *testing.T) {
	got := Pairs([][]float64{{10, 10, 0}, {}, {4}}, [][]float64{{20, 40, 5}, {1}, {4, 9}, {7}})
	want := []float64{(math.Log(2) + math.Log(4)) / 2, 0}
	if len(got) != 2 || math.Abs(got[0]-want[0]) > 1e-12 || got[1] != want[1] {
		t.Errorf("%v, want %v", got, want)
	}
	for _, pairs := range [][]float64{nil, {1, 1}, {0, 0, 0}} {
		if p, err := pairedTest(pairs); p != 1 || err == nil {
			t.Errorf("%v: p %v, %v", pairs, p, err)
		}
	}
	if p, err := pairedTest([]float64{1, 1, 1}); p != 0 || err != nil {
		t.Errorf("always the same: p %v, %v", p, err)
	}
}

func TestOrderRefusesUnlikeConditions(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for what, change := range map[string]func(*Cell){
		"wait":      func(c *Cell) { c.Wait = "spin" },
		"placement": func(c *Cell) { c.Placement = "same" },
		"workload":  func(c *Cell) { c.Workload = "one-way" },
		"request":   func(c *Cell) { c.RequestBytes = 1 },
		"reply":     func(c *Cell) { c.ReplyBytes = 1 },
		"clients":   func(c *Cell) { c.Clients = 2 },
		"nothing":   func(c *Cell) { c.RoundP50NS = nil },
	} {
		a, b := row(rng, "a", 1000, 0.01), row(rng, "b", 2000, 0.01)
		change(b)
		if c := Order(a, b); c.Verdict != NotComparable || c.Reason == "" {
			t.Errorf("another %s: %+v", what, c)
		}
	}
}

// TestTiers: a tier's rows are told from its first one, not from their
// neighbours.
func TestTiers(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	var ranked []*Cell
	for i, p50 := range []float64{1000, 1002, 1500, 1503, 3000} {
		ranked = append(ranked, row(rng, string(rune('a'+i)), p50, 0.01))
	}
	got := strings.Join(tiersOf(ranked), " < ")
	if want := "a, b < c (p<0.001), d < e (p<0.001)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := tiersOf(ranked[:1]); got != nil {
		t.Errorf("a row by itself: %q", got)
	}
}

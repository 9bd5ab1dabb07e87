package selftest

import "testing"

// TestDealings: both ways deal each generation to one run.
func TestDealings(t *testing.T) {
	const each = 5
	for _, d := range dealings {
		dealt := map[int]bool{}
		for _, run := range d.deal(each) {
			for _, g := range run {
				if g < 0 || g >= repeats*each || dealt[g] {
					t.Errorf("%s: generation %d", d.name, g)
				}
				dealt[g] = true
			}
			if len(run) != each {
				t.Errorf("%s: %d generations", d.name, len(run))
			}
		}
	}
}

// TestMisses counts runs of a machine that changes its state half-way: dealt one
// by one they miss, dealt in turns they do not.
func TestMisses(t *testing.T) {
	const each = 6
	var generations [][]float64
	for i := range repeats * each {
		p50 := 6800 + float64(i%7)
		if i >= repeats*each/2 {
			p50 = 9300 + float64(i%7)
		}
		generations = append(generations, []float64{p50})
	}
	for _, d := range dealings {
		all := d.intervals(generations, each)
		missed := misses(all)
		if len(all) != repeats || d.name == judged && missed > 1 || d.name != judged && missed < repeats/2 {
			t.Errorf("%s: %d of %d", d.name, missed, len(all))
		}
	}
}

package harness

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"ipcbench/ipc/copies"
)

func preparePair(t *testing.T, old string, inject func(Key) Injection) *Run {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if old == "" {
		old = self
	}
	p := shortPlan()
	p.Sizes = []int{64}
	r, err := Prepare(testTransports, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Pair(old, self, inject)
	return r
}

// TestPair measures this program against itself: every cell twice, and what is
// injected into the new side is counted there and only there.
func TestPair(t *testing.T) {
	m, err := preparePair(t, "", func(Key) Injection { return Injection{Copies: 1, Syscalls: 2} }).Measure(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	nothingLeft(t)
	if len(m.Cells) != 4 {
		t.Fatalf("%d cells of two transports and two builds", len(m.Cells))
	}
	for i := 0; i < len(m.Cells); i += 2 {
		old, young := perOperation(t, &m.Cells[i], OldBuild), perOperation(t, &m.Cells[i+1], NewBuild)
		if m.Cells[i].Key != m.Cells[i+1].Key {
			t.Errorf("%v stands beside %v", m.Cells[i].Key, m.Cells[i+1].Key)
		}
		if got := young.copies - old.copies; got != 1 {
			t.Errorf("%s: %v copies more, 1 was injected", m.Cells[i].Transport, got)
		}
		if got := young.syscalls - old.syscalls; got < 1 || got > 3 {
			t.Errorf("%s: %v system calls more, 2 were injected", m.Cells[i].Transport, got)
		}
	}
}

type cost struct{ copies, syscalls float64 }

func perOperation(t *testing.T, c *CellRecord, variant string) (sum cost) {
	t.Helper()
	if c.Variant != variant || c.Verified == 0 || len(c.Generations) != 2 {
		t.Fatalf("%s: variant %q, %d verified, %d generations", c.Transport, c.Variant, c.Verified, len(c.Generations))
	}
	var ledger copies.Report
	var operations uint64
	for _, generation := range c.Generations {
		for _, r := range generation {
			ledger.Add(r.Ledger)
			operations += r.CostOperations
		}
	}
	payload := operations * uint64(c.RequestBytes)
	return cost{float64(ledger.Payload(copies.Request)) / float64(payload), float64(ledger.Syscalls) / float64(operations)}
}

func TestPairRefusesOtherPrograms(t *testing.T) {
	for _, program := range []string{"/bin/true", "/bin/cat", filepath.Join(t.TempDir(), "missing")} {
		_, err := preparePair(t, program, nil).Measure(context.Background(), nil)
		if !errors.Is(err, ErrOtherBuild) {
			t.Errorf("%s: %v", program, err)
		}
		nothingLeft(t)
	}
}

// TestAdjacent keeps the builds of a cell side by side.
func TestAdjacent(t *testing.T) {
	r := preparePair(t, "", nil)
	channels, units := r.byChannel()
	b := &batch{Run: r, units: units, groups: map[channel]*group{}}
	for _, c := range channels {
		b.groups[c] = &group{channel: c}
	}
	firsts := map[string]bool{}
	for range 20 {
		turns := b.turns()
		for i := 0; i < len(turns); i += 2 {
			x, y := turns[i].unit.conditions(), turns[i+1].unit.conditions()
			firsts[x.variant] = true
			if x.transport != y.transport || x.variant == y.variant {
				t.Fatalf("%s (%s) stands beside %s (%s)", x.transport, x.variant, y.transport, y.variant)
			}
		}
	}
	if len(firsts) != 2 {
		t.Error("the same build always comes first")
	}
}

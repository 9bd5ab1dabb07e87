package workload

import (
	"testing"

	"pgregory.net/rapid"
)

func TestConsumeTakesWhatProduceMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := make([]byte, rapid.IntRange(0, 5*Line).Draw(t, "size"))
		stamp := rapid.Uint64().Draw(t, "stamp")
		Produce(p, stamp)
		if !Consume(p, stamp) {
			t.Fatal("its own stamp is refused")
		}
		if len(p) == 0 {
			return
		}
		line := rapid.IntRange(0, (len(p)-1)/Line).Draw(t, "line")
		p[line*Line] ^= 1
		if Consume(p, stamp) {
			t.Fatalf("line %d of %d bytes was changed and nobody noticed", line, len(p))
		}
	})
}

func TestMatchesTakesWhatFillMade(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := make([]byte, rapid.IntRange(0, 300).Draw(t, "size"))
		seed := rapid.Uint64().Draw(t, "seed")
		Fill(p, seed)
		if !Matches(p, seed) {
			t.Fatal("its own bytes are refused")
		}
		if len(p) == 0 {
			return
		}
		p[rapid.IntRange(0, len(p)-1).Draw(t, "at")] ^= 0x10
		if Matches(p, seed) {
			t.Fatal("a changed byte was not noticed")
		}
	})
}

func TestWorkloads(t *testing.T) {
	for _, w := range All {
		found, err := Lookup(w.Name)
		if err != nil || found.Name != w.Name {
			t.Errorf("%s: %v", w.Name, err)
		}
		request, reply := w.Sizes(4096)
		if max(request, reply) != 4096 {
			t.Errorf("%s: %d and %d bytes of 4096", w.Name, request, reply)
		}
	}
	if _, err := Lookup("nothing"); err == nil {
		t.Error("no error")
	}
	for _, size := range []int{0, 1, 64, 1 << 20, 64 << 20} {
		if n := Burst(size); n < 4 || n > 64 {
			t.Errorf("a burst of %d for %d bytes", n, size)
		}
	}
}

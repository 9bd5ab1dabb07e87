package record

import (
	"testing"
	"time"
)

func TestRecordKeepsTheCount(t *testing.T) {
	r := New()
	for _, d := range []int64{-5, 0, 1, 1000, int64(200 * time.Second)} {
		r.Record(d)
	}
	r.RecordBurst(6400, 64)
	s, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	h, err := Decode(s)
	if err != nil {
		t.Fatal(err)
	}
	if h.TotalCount() != 69 || r.Operations != 69 || h.ValueAtQuantile(50) != 100 {
		t.Errorf("%d values, %d operations, p50 %d", h.TotalCount(), r.Operations, h.ValueAtQuantile(50))
	}
	r.Reset()
	if r.Operations != 0 || r.histogram.TotalCount() != 0 {
		t.Error("not empty after Reset")
	}
}

func TestDecodeRefusesGarbage(t *testing.T) {
	for _, s := range []string{"", "x", "HISTFAAA", "////////"} {
		if _, err := Decode(s); err == nil {
			t.Errorf("%q: no error", s)
		}
	}
}

func TestRecordDoesNotAllocate(t *testing.T) {
	r, d := New(), int64(0)
	if n := testing.AllocsPerRun(1000, func() { d += 997; r.Record(d) }); n != 0 {
		t.Errorf("%v allocations a value", n)
	}
}

// BenchmarkRecord is what recording costs an operation, beside reading the
// clock.
func BenchmarkRecord(b *testing.B) {
	r := New()
	for i := range b.N {
		r.Record(int64(5000 + i&0x3fff))
	}
}

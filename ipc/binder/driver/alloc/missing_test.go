package alloc

import (
	"sync/atomic"
	"testing"
)

// TestMissingMeanwhile asks for a buffer's missing page while another sender gives it
// storage, and a shrinker takes that away.
func TestMissingMeanwhile(t *testing.T) {
	r := newRegion(t, 1<<20)
	b := r.must(Request{Data: 64})
	present := &r.space.In(r.a).pages.In(r.a).present[0]
	var over atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := uint64(0); !over.Load(); n++ {
			atomic.StoreUint64(present, n&1)
		}
	}()
	seen := map[int64]int{}
	for range 1_000_000 {
		_, n := Missing(r.a, r.space, b)
		seen[n]++
	}
	over.Store(true)
	<-done
	if seen[0]+seen[PageSize] != 1_000_000 {
		t.Errorf("%v bytes are missing of one page", seen)
	}
}

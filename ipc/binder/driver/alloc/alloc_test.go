package alloc

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"ipcbench/ipc/binder/driver/arena"
	"pgregory.net/rapid"
)

type host struct{}

func (host) Commit(int64) error                              { return nil }
func (host) Dead(arena.Slot) (bool, int)                     { return false, 0 }
func (host) Wait(*atomic.Uint32, uint32, time.Duration) bool { return false }
func (host) Wake(*atomic.Uint32, int) int                    { return 1 }

// region is a region with a transaction that is always open.
type region struct {
	t     testing.TB
	a     *arena.Arena
	tx    *arena.Tx
	space arena.Ref[Space]
}

func newRegion(t testing.TB, size uint64) *region {
	t.Helper()
	a, err := arena.Format(make([]byte, 4<<20), Kinds, arena.Options{Host: host{}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.Join(arena.Slot{})
	if err != nil {
		t.Fatal(err)
	}
	tx, err := m.Tx(1)
	if err != nil {
		t.Fatal(err)
	}
	tx.Begin()
	space, err := New(tx, size)
	if err != nil {
		t.Fatal(err)
	}
	return &region{t, a, tx, space}
}

func (r *region) alloc(q Request) (arena.Ref[Buffer], error) {
	b, err := Alloc(r.tx, r.space, &q, 1)
	if err != nil {
		r.tx.Rollback()
	} else {
		r.tx.Commit()
	}
	return b, err
}

func (r *region) must(q Request) arena.Ref[Buffer] {
	r.t.Helper()
	b, err := r.alloc(q)
	if err != nil {
		r.t.Fatal(err)
	}
	return b
}

func (r *region) free(b arena.Ref[Buffer]) { Free(r.tx, r.space, b); r.tx.Commit() }

func (r *region) offset(b arena.Ref[Buffer]) uint32 { return b.In(r.a).Offset }

func TestSpacing(t *testing.T) {
	r := newRegion(t, 1<<20)
	for i, size := range []uint64{0, 5, 8, 9} {
		if got, want := r.offset(r.must(Request{Data: size})), uint32(8*i); got != want {
			t.Errorf("%d bytes lie at %d, want %d", size, got, want)
		}
	}
}

func TestBestFit(t *testing.T) {
	r := newRegion(t, 1<<20)
	var held []arena.Ref[Buffer]
	for _, size := range []uint64{64, 512, 64, 256, 64} {
		held = append(held, r.must(Request{Data: size}))
	}
	hole := r.offset(held[3])
	r.free(held[1])
	r.free(held[3])
	if got := r.offset(r.must(Request{Data: 128})); got != hole {
		t.Errorf("128 bytes lie at %d, want the smaller hole at %d", got, hole)
	}
}

func TestLastFreedIsReused(t *testing.T) {
	r := newRegion(t, 1<<20)
	r.must(Request{Data: 64})
	b := r.must(Request{Data: 64})
	at := r.offset(b)
	r.free(b)
	if got := r.offset(r.must(Request{Data: 60})); got != at {
		t.Errorf("the next buffer lies at %d, want %d", got, at)
	}
}

func TestLimits(t *testing.T) {
	r := newRegion(t, 8<<20)
	whole := r.must(Request{Data: MaxSize})
	if _, err := r.alloc(Request{}); !errors.Is(err, ErrNoSpace) {
		t.Errorf("full region: %v", err)
	}
	r.free(whole)
	if _, err := r.alloc(Request{Data: MaxSize + 8}); !errors.Is(err, ErrNoSpace) {
		t.Errorf("more than the region: %v", err)
	}
	if _, err := r.alloc(Request{Data: 1<<64 - 1}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("overflow: %v", err)
	}
	if _, err := r.alloc(Request{Data: MaxSize/2 + 8, Async: true}); !errors.Is(err, ErrNoSpace) {
		t.Errorf("over the budget: %v", err)
	}
	r.free(r.must(Request{Data: MaxSize / 2, Async: true}))
	r.must(Request{Data: MaxSize / 2, Async: true})
}

func TestSpamSuspect(t *testing.T) {
	r := newRegion(t, 1<<20)
	var suspects []int
	var held []arena.Ref[Buffer]
	fill := func() {
		for i := 0; ; i++ {
			b, err := r.alloc(Request{Data: 8 << 10, Async: true, PID: 7})
			if err != nil {
				return
			}
			held = append(held, b)
			if b.In(r.a).Spam {
				suspects = append(suspects, i)
			}
		}
	}
	fill()
	// 512 KiB of budget: below a tenth of 1 MiB after 52 buffers of 8 KiB.
	if len(suspects) != 1 || suspects[0] != 51 {
		t.Errorf("suspects: %v, want only 51", suspects)
	}
	for _, b := range held {
		r.free(b)
	}
	held = nil
	fill()
	if len(suspects) != 2 {
		t.Errorf("after the budget recovered: %v, want a second suspect", suspects)
	}
}

func TestPages(t *testing.T) {
	r := newRegion(t, 1<<20)
	b := r.must(Request{Data: 3 * PageSize})
	c := r.must(Request{Data: PageSize})
	if off, n := Missing(r.a, r.space, b); off != 0 || n != 3*PageSize {
		t.Errorf("missing: %d bytes at %d", n, off)
	}
	Populated(r.tx, r.space, b)
	Populated(r.tx, r.space, c)
	if _, n := Missing(r.a, r.space, b); n != 0 {
		t.Errorf("%d bytes are missing of a populated buffer", n)
	}
	r.free(c)
	r.free(b)
	if got, want := CountPages(r.a, r.space), (Pages{LRU: 4, Free: 252, Peak: 4}); got != want {
		t.Errorf("pages %+v, want %+v", got, want)
	}
	var punched []int64
	n := Shrink(r.tx, r.space, 1, func(off int64) { punched = append(punched, off) })
	if n != 1 || punched[0] != 3*PageSize {
		t.Errorf("shrinking took %v, want the page that was freed first", punched)
	}
	if n := Shrink(r.tx, r.space, 100, func(int64) {}); n != 3 {
		t.Errorf("shrinking took %d pages more, want 3", n)
	}
	b = r.must(Request{Data: 8})
	Populated(r.tx, r.space, b)
	if n := Shrink(r.tx, r.space, 1, func(int64) {}); n != 0 {
		t.Error("a page in use was taken")
	}
}

// TestModel: whatever is allocated and freed, buffers do not overlap, the
// invariants hold, and an emptied region is one block again.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRegion(t, 64<<10)
		var live []arena.Ref[Buffer]
		for range rapid.IntRange(1, 150).Draw(rt, "operations") {
			if len(live) > 0 && rapid.Bool().Draw(rt, "free") {
				i := rapid.IntRange(0, len(live)-1).Draw(rt, "which")
				r.free(live[i])
				live = append(live[:i], live[i+1:]...)
			} else {
				q := Request{Data: rapid.Uint64Range(0, 9000).Draw(rt, "size"), Async: rapid.Bool().Draw(rt, "async")}
				if b, err := r.alloc(q); err == nil {
					live = append(live, b)
				} else if !errors.Is(err, ErrNoSpace) {
					rt.Fatal(err)
				}
			}
			if _, err := Check(r.a, r.space); err != nil {
				rt.Fatal(err)
			}
		}
		for _, b := range live {
			r.free(b)
		}
		settle(r.tx, r.space.Edit(r.tx))
		if n, err := Check(r.a, r.space); n != 1 || err != nil {
			rt.Fatalf("%d blocks in an empty region, %v", n, err)
		}
		Destroy(r.tx, r.space)
		if got := Live(r.a) + spaces.Live(r.a) + pageMaps.Live(r.a); got != 0 {
			rt.Fatalf("%d records leak", got)
		}
	})
}

func BenchmarkAlloc(b *testing.B) {
	for _, live := range []int{1, 100, 10000} {
		b.Run(fmt.Sprintf("live=%d", live), func(b *testing.B) {
			r := newRegion(b, 4<<20)
			for range live {
				r.must(Request{Data: 8})
			}
			b.ReportAllocs()
			for b.Loop() {
				r.free(r.must(Request{Data: 64}))
			}
		})
	}
}

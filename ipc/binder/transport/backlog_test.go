package transport

import (
	"sync/atomic"
	"testing"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder"
)

func TestCode(t *testing.T) {
	for _, sent := range []uint32{0, 1, 1<<countBits - 1} {
		for _, client := range []int{0, 1, maxClients - 1} {
			for _, k := range []kind{kindCall, kindDrain, kindStop} {
				c := code(k, client, sent)
				if gotKind, gotClient, gotSent := parts(c); gotKind != k || gotClient != client || gotSent != sent {
					t.Errorf("%#x is %v, %v, %v and was made of %v, %v, %v", c, gotKind, gotClient, gotSent, k, client, sent)
				}
				if c < binder.FirstCallTransaction || c > 0xffffff {
					t.Errorf("%#x is none of an interface's codes", c)
				}
			}
		}
	}
	if code(kindCall, 1, 1<<countBits+3) != code(kindCall, 1, 3) {
		t.Error("a count is cut off elsewhere than a backlog's")
	}
}

// TestBacklog waits for calls that are handled meanwhile, over the end of what a
// count can tell.
func TestBacklog(t *testing.T) {
	const n = 200
	wait := func(w *atomic.Uint32, seen uint32) error { return sys.FutexWait(w, seen, -1) }
	for _, before := range []uint32{0, 1<<countBits - n/2, 1<<32 - n/2} {
		var b backlog
		var never atomic.Bool
		b.handled.Store(before)
		if !b.reached(before&(1<<countBits-1)) || b.reached((before+1)&(1<<countBits-1)) {
			t.Fatalf("%d were handled, and that is not seen", before)
		}
		go func() {
			for range n {
				b.done()
			}
		}()
		b.await((before+n)&(1<<countBits-1), wait, &never)
		if got := b.handled.Load(); got != before+n {
			t.Errorf("%d of %d were handled when the wait ended", got-before, n)
		}
	}
}

// TestBrokenWait: who waits for a client that is gone is sent home.
func TestBrokenWait(t *testing.T) {
	var b backlog
	var broken atomic.Bool
	home := make(chan struct{})
	go func() {
		b.await(5, func(w *atomic.Uint32, seen uint32) error { return sys.FutexWait(w, seen, -1) }, &broken)
		close(home)
	}()
	for !b.asleep.Load() {
	}
	broken.Store(true)
	b.interrupt()
	<-home
}

package transport

import (
	"sync/atomic"
	"testing"
	"time"

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

// TestWokenOnce: of the calls that are handled while somebody waits, only the one that
// he waits for makes a call to wake him.
func TestWokenOnce(t *testing.T) {
	const n = 20
	for _, before := range []uint32{0, 1<<countBits - n/2, 1<<32 - n/2} {
		var b backlog
		b.handled.Store(before)
		stop, home := waiter(&b, (before+n)&(1<<countBits-1), 0)
		for i := range n {
			if got, want := b.done(), i/(n-1); got != want {
				t.Errorf("call %d of %d, after %d: %d system calls, want %d", i+1, n, before, got, want)
			}
		}
		comesHome(t, &b, stop, home)
	}
}

// TestBrokenWait: who waits for a client that is gone is sent home, even one that was
// about to sleep when he was told.
func TestBrokenWait(t *testing.T) {
	for _, dawdle := range []time.Duration{0, 20 * time.Millisecond} {
		var b backlog
		stop, home := waiter(&b, 5, dawdle)
		stop.Store(true)
		b.interrupt()
		comesHome(t, &b, stop, home)
	}
}

// waiter waits in the background for calls that are handled, and takes its time
// between looking and sleeping.
func waiter(b *backlog, sent uint32, dawdle time.Duration) (stop *atomic.Bool, home chan struct{}) {
	stop, home = new(atomic.Bool), make(chan struct{})
	go func() {
		b.await(sent, func(w *atomic.Uint32, seen uint32) error {
			time.Sleep(dawdle)
			return sys.FutexWait(w, seen, -1)
		}, stop)
		close(home)
	}()
	for !b.asleep.Load() {
		time.Sleep(time.Millisecond)
	}
	return stop, home
}

// comesHome fails the test if the waiter sleeps on, and wakes it then.
func comesHome(t *testing.T, b *backlog, stop *atomic.Bool, home chan struct{}) {
	t.Helper()
	select {
	case <-home:
	case <-time.After(10 * time.Second):
		t.Error("who waits was not woken")
		for stop.Store(true); b.asleep.Load(); time.Sleep(time.Millisecond) {
			sys.FutexWake(&b.handled, 1)
		}
	}
}

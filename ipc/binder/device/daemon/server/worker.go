package server

import (
	"sync"
	"sync/atomic"

	"ipcbench/internal/sys"
)

// worker is a goroutine that serves threads, one at a time. Whose call it has
// ended it serves next, so that a conversation of two threads, in which always one
// of them is parked, takes one worker: that one sleeps once for each call and once
// for each reply, and finds what it is to do in its own caches.
type worker struct {
	pool *pool
	word atomic.Uint32 // workerRuns, until it is idle
	next *thread
}

// What an idle worker's word says.
const (
	workerRuns   = iota
	workerSleeps // or is about to
	workerIsDue  // next is there
)

// work serves a thread, and then others, until one of them has ended.
func (w *worker) work(t *thread) {
	for over := false; !over; {
		if t == nil {
			t = w.rest()
		}
		t, over = t.serve()
	}
}

// rest waits until there is a thread to serve. Who brings it has counted one call.
func (w *worker) rest() *thread {
	if t := w.pool.enter(w); t != nil {
		return t
	}
	if w.word.CompareAndSwap(workerRuns, workerSleeps) {
		for calls := uint64(0); w.word.Load() == workerSleeps; calls = 1 {
			w.pool.more.Add(calls)
			if w.pool.raw {
				_ = sys.RawFutexWait(&w.word, workerSleeps, -1)
			} else {
				_ = sys.FutexWait(&w.word, workerSleeps, -1)
			}
		}
	}
	w.word.Store(workerRuns)
	return w.next
}

// pool is a worker for each thread that has not ended, so that every thread whose
// call is not parked has one, whatever the others are held up by.
type pool struct {
	raw  bool
	more atomic.Uint64 // system calls in no thread's account

	mu      sync.Mutex
	idle    []*worker
	waiting []*thread // for a worker that is about to be idle
}

// start serves a new thread.
func (p *pool) start(t *thread) { go (&worker{pool: p}).work(t) }

// enter makes a worker idle, unless a thread waits for one.
func (p *pool) enter(w *worker) *thread {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		p.idle = append(p.idle, w)
		return nil
	}
	t := p.waiting[0]
	p.waiting = p.waiting[1:]
	return t
}

// assign gives a thread a worker, and waits for nobody. The call that wakes the
// worker, and that in which it slept, are counted before they are over, because the
// worker may tell the account at once.
func (p *pool) assign(t *thread, account *atomic.Uint64) {
	w := p.take(t)
	if w == nil {
		return
	}
	w.next = t
	if w.word.Swap(workerIsDue) == workerSleeps {
		account.Add(2)
		sys.FutexWake(&w.word, 1)
	}
}

// take finds an idle worker, or has the thread wait for one.
func (p *pool) take(t *thread) *worker {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		p.waiting = append(p.waiting, t)
		return nil
	}
	w := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return w
}

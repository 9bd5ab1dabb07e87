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
	word atomic.Uint32 // 1: next is there
	next *thread
	// ended are the threads whose calls it ended last.
	ended []*thread
}

// work serves a thread, and then others, until one of them has ended.
func (w *worker) work(t *thread) {
	for {
		ended, over := t.serve(w.ended[:0])
		if over {
			return
		}
		w.ended = ended
		n := len(ended)
		if n == 0 {
			t = w.rest()
			continue
		}
		t = ended[n-1]
		w.pool.assign(ended[:n-1])
	}
}

// rest waits until there is a thread to serve.
func (w *worker) rest() *thread {
	if t := w.pool.enter(w); t != nil {
		return t
	}
	calls := 0
	for ; w.word.Load() == 0; calls++ {
		if w.pool.raw {
			_ = sys.RawFutexWait(&w.word, 0, -1)
		} else {
			_ = sys.FutexWait(&w.word, 0, -1)
		}
	}
	w.word.Store(0)
	w.next.syscalls.Add(uint64(calls))
	return w.next
}

// pool is a worker for each thread that has not ended, so that every thread whose
// call is not parked has one, whatever the others are held up by.
type pool struct {
	raw bool

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

// assign gives each thread a worker. It waits for nobody.
func (p *pool) assign(threads []*thread) {
	for _, t := range threads {
		if w := p.take(t); w != nil {
			t.syscalls.Add(1) // before the call, because the worker may tell the account at once
			w.next = t
			w.word.Store(1)
			sys.FutexWake(&w.word, 1)
		}
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

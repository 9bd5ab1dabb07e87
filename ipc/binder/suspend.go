package binder

import (
	"sync"
	"sync/atomic"
)

// pool is what the loopers have in common.
type pool struct {
	suspended atomic.Bool

	mu      sync.Mutex
	changed sync.Cond
	serving int
	closed  bool
}

// Suspend sends every looper home and returns when all of them have left the
// driver and wait in this process. What arrives meanwhile is kept by the driver.
// The pool starts suspended if Suspend comes before StartThreadPool.
func (ps *ProcessState) Suspend() error {
	ps.pool.suspended.Store(true)
	ps.pool.mu.Lock()
	defer ps.pool.mu.Unlock()
	var err error
	if !ps.pool.closed { // otherwise Close sends them home, and the file may be gone
		err = ps.flush()
	}
	for ps.pool.serving > 0 {
		ps.pool.changed.Wait()
	}
	return err
}

// Resume has the loopers serve again.
func (ps *ProcessState) Resume() {
	ps.pool.mu.Lock()
	defer ps.pool.mu.Unlock()
	ps.pool.suspended.Store(false)
	ps.pool.changed.Broadcast()
}

// await returns when the pool is not suspended.
func (p *pool) await() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.awaitLocked()
}

func (p *pool) awaitLocked() error {
	for p.suspended.Load() && !p.closed {
		p.changed.Wait()
	}
	if p.closed {
		return ErrClosed
	}
	return nil
}

// enter is a looper's way in: it waits as long as the pool is suspended.
func (p *pool) enter() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.awaitLocked(); err != nil {
		return err
	}
	p.serving++
	return nil
}

func (p *pool) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serving--
	p.changed.Broadcast()
}

// close lets those who wait for Resume go.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.changed.Broadcast()
}

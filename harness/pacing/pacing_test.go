package pacing

import (
	"testing"
	"time"
)

func TestClosedLoopStartsAtOnce(t *testing.T) {
	c := NewClock()
	p := New(c, 0, 0)
	before := c.Now()
	if start := p.Start(); start < before || start > c.Now() {
		t.Errorf("started at %d, between %d and %d", start, before, c.Now())
	}
}

func TestOpenLoopKeepsItsTimes(t *testing.T) {
	c := NewClock()
	p := New(c, 1000, 0) // a period of a millisecond
	first := p.Start()
	second := p.Start()
	if second-first != int64(time.Millisecond) {
		t.Errorf("intended starts %d ns apart", second-first)
	}
	if c.Now() < second {
		t.Error("started before its time")
	}
	// A stall delays the operations after it, and their latency counts from
	// when they were due.
	time.Sleep(5 * time.Millisecond)
	third := p.Start()
	if third-second != int64(time.Millisecond) || p.Missed == 0 {
		t.Errorf("after a stall: intended %d ns later, %d missed", third-second, p.Missed)
	}
}

// TestOpenLoopGivesUp drops what was due when the loop is too far behind, every
// operation once.
func TestOpenLoopGivesUp(t *testing.T) {
	c := NewClock()
	p := New(c, 1000, 0)
	const due = 20
	first := p.Start()
	until := first + due*int64(time.Millisecond)
	if p.GiveUp(int64(time.Millisecond), until) {
		t.Fatal("given up without being behind")
	}
	time.Sleep(5 * time.Millisecond)
	p.Start()
	if !p.GiveUp(int64(time.Millisecond), until) {
		t.Fatal("not given up 4 ms behind")
	}
	if p.Dropped != due-1 || p.Missed != 0 {
		t.Errorf("%d dropped of %d, %d missed beside", p.Dropped, due-1, p.Missed)
	}
}

func TestGapPauses(t *testing.T) {
	c := NewClock()
	before := c.Now()
	if start := New(c, 0, 2*time.Millisecond).Start(); start-before < int64(2*time.Millisecond) {
		t.Errorf("started after %d ns", start-before)
	}
}

func TestPacingDoesNotAllocate(t *testing.T) {
	c := NewClock()
	p := New(c, 1e9, 0)
	if n := testing.AllocsPerRun(100, func() { p.Start() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

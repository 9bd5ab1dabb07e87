package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"ipcbench/internal/sys"
)

// progress tells on a terminal how far a long command is; elsewhere it says
// nothing.
type progress struct {
	w     io.Writer
	now   func() time.Time
	begun time.Time
	told  time.Time
}

const (
	progressAfter = 2 * time.Second
	progressEvery = 200 * time.Millisecond
)

func newProgress(stderr io.Writer, now func() time.Time) *progress {
	p := &progress{now: now, begun: now()}
	if f, ok := stderr.(*os.File); ok && sys.IsTerminal(f) {
		p.w = f
	}
	return p
}

func (p *progress) tell(done float64, what string) {
	now := p.now()
	if p.w == nil || now.Sub(p.begun) < progressAfter || now.Sub(p.told) < progressEvery {
		return
	}
	p.told = now
	left := ""
	if done > 0.02 {
		rest := time.Duration(float64(now.Sub(p.begun)) * (1 - done) / done)
		left = fmt.Sprintf(", %v left", rest.Round(time.Second))
	}
	fmt.Fprintf(p.w, "\r\x1b[K%3.0f %% %s%s", 100*done, what, left)
}

// clear takes the line away.
func (p *progress) clear() {
	if p.w != nil && !p.told.IsZero() {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

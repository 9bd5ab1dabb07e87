// Package selftest proves on the machine at hand that the harness can be
// trusted: that it adds nothing to what it measures, that its intervals hold
// what they promise, and that it finds a slow-down. Each test prints what it
// counted.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"

	"ipcbench/harness"
	"ipcbench/harness/env"
	"ipcbench/ipc"
	"ipcbench/results"
)

// ErrFailed reports a self-test whose count is not what it must be.
var ErrFailed = errors.New("self-test failed")

// Test is one self-test.
type Test struct {
	Name, Summary string
	// Long tests take many minutes, and run only when named.
	Long bool
	// Run prints its counts to w. It returns ErrFailed if they are not good
	// enough, or an error that wraps errors.ErrUnsupported.
	Run func(context.Context, *Bench, io.Writer) error
}

// Tests are all self-tests.
var Tests = []Test{
	{"reference", "p50 of pipe and unix-stream next to a C program that does the same work", false, reference},
	{"intervals", "how many 95 % intervals of ten repeated runs miss the median of the other nine", false, intervals},
	{"evidence", "that a hidden copy is seen, and a copy that was claimed and not made", false, caughtLies},
	{"slowdown", "how often an injected 10 % slow-down is found in ten runs", false, slowdown},
	{"runs", "how many 95 % intervals of ten default runs, one after the other, miss likewise (only when named)", true, runs},
	{"gate", "how often paired runs find a regression that is there, and one that is not (only when named)", true, gate},
}

// Bench is what self-tests measure with.
type Bench struct {
	Transports *ipc.Registry
	Progress   harness.Progress
	// Runs of each case of the gate, and which of them; none means all.
	Runs  int
	Cases []string
}

// measure runs a plan for its times alone.
func (b *Bench) measure(ctx context.Context, p harness.Plan, names []string, prepare func(*harness.Run)) (*results.Result, error) {
	r, err := harness.Prepare(b.Transports, p, names)
	if err != nil {
		return nil, err
	}
	r.TimesOnly()
	if prepare != nil {
		prepare(r)
	}
	m, err := r.Measure(ctx, nil)
	if err != nil {
		return nil, err
	}
	return results.Build(env.Environment{}, m), nil
}

// tell shows how far a test is.
func (b *Bench) tell(done, of int, what string) {
	if b.Progress != nil {
		b.Progress(float64(done)/float64(of), what)
	}
}

// manyRounds a generation make a run of four cells as long as one of a dozen is.
const manyRounds = 8

// fourCells is the plan of the tests that repeat runs: two transports and two
// sizes.
func fourCells() (harness.Plan, []string) {
	p := harness.DefaultPlan()
	p.Sizes, p.Rounds = []int{64, 64 << 10}, manyRounds
	return p, []string{"pipe", "unix-stream"}
}

func cellName(c *results.Cell) string {
	return fmt.Sprintf("%-12s %6d B", c.Transport, c.RequestBytes)
}

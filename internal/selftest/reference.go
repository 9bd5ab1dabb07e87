package selftest

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/montanaflynn/stats"

	"ipcbench/harness"
	"ipcbench/results"
)

//go:embed reference/echo.c
var referenceSource []byte

const (
	// limit is how many times the C program's p50 a row may take.
	limit = 1.10
	// fewTurns of each program, in turn, are made at least, and more up to
	// manyTurns as long as they do not tell whether a row is within the limit.
	fewTurns, manyTurns = 9, 45
	// pipeDefault is the size of a new pipe in bytes.
	pipeDefault = 64 << 10
)

// reference measures the harness and a C program in turn.
func reference(ctx context.Context, b *Bench, w io.Writer) error {
	dir, err := os.MkdirTemp("", "ipcbench-reference-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program, err := compile(ctx, dir)
	if err != nil {
		return err
	}
	var failed error
	cases := referenceCases()
	for i, c := range cases {
		b.tell(i, len(cases), c.String())
		ratio, err := c.compare(ctx, b, program, w)
		if err != nil {
			return err
		}
		if ratio.middle > limit {
			failed = fmt.Errorf("%w: %s: %v times the C program's p50", ErrFailed, c, ratio)
		}
	}
	return failed
}

// compile builds the C program with the machine's compiler.
func compile(ctx context.Context, dir string) (program string, err error) {
	source, program := filepath.Join(dir, "reference.c"), filepath.Join(dir, "reference")
	if err := os.WriteFile(source, referenceSource, 0o600); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, "cc", "-O2", "-o", program, source).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("no C compiler (cc) on this machine: %w", errors.ErrUnsupported)
	}
	if err != nil {
		return "", fmt.Errorf("compile the C program: %w: %s", err, out)
	}
	return program, nil
}

type referenceCase struct {
	kind, transport string // as the C program and as ipcbench name it
	size, buffer    int
	placement       string
}

func (c referenceCase) String() string {
	return fmt.Sprintf("%-12s %6d B  %-5s", c.transport, c.size, c.placement)
}

func referenceCases() (cases []referenceCase) {
	placements := []string{harness.Same}
	if harness.DefaultPlacement() == harness.Cross {
		placements = []string{harness.Cross, harness.Same}
	}
	for _, placement := range placements {
		for _, size := range []int{64, 64 << 10} {
			pipeSize := 0
			if size >= pipeDefault {
				pipeSize = 2 * pipeDefault
			}
			cases = append(cases,
				referenceCase{"pipe", "pipe", size, pipeSize, placement},
				referenceCase{"unix", "unix-stream", size, 0, placement})
		}
	}
	return cases
}

// turns are the p50 of programs that took turns, in ns.
type turns struct {
	ours, theirs [][]float64
	// bare is the C program without the restartable sequences of the C library,
	// which workers do without too.
	bare [][]float64
}

// compare prints the ratios to the C program as it is and without restartable
// sequences, and returns the former.
func (c referenceCase) compare(ctx context.Context, b *Bench, program string, w io.Writer) (to ratio, err error) {
	var t turns
	for len(t.ours) < fewTurns || len(t.ours) < manyTurns && t.undecided() {
		if err := c.turn(ctx, b, program, &t); err != nil {
			return to, err
		}
	}
	to = ratioOf(t.ours, t.theirs)
	fmt.Fprintf(w, "%s  %6.2f µs  of C: %v  of C without rseq: %v", c, middle(t.ours)/1e3, to, ratioOf(t.ours, t.bare))
	if t.undecided() {
		fmt.Fprintf(w, "  undecided after %d turns", len(t.ours))
	}
	fmt.Fprintln(w)
	return to, nil
}

func (c referenceCase) turn(ctx context.Context, b *Bench, program string, t *turns) error {
	theirs, err := c.runC(ctx, program, nil)
	if err != nil {
		return err
	}
	bare, err := c.runC(ctx, program, []string{"GLIBC_TUNABLES=" + harness.WithoutRestartable})
	if err != nil {
		return err
	}
	ours, err := c.runHarness(ctx, b, uint64(len(t.ours)))
	if err != nil {
		return err
	}
	t.theirs, t.bare, t.ours = append(t.theirs, []float64{theirs}), append(t.bare, []float64{bare}), append(t.ours, []float64{ours})
	return nil
}

// undecided says whether the limit lies in the interval of the ratio.
func (t *turns) undecided() bool {
	r := ratioOf(t.ours, t.theirs)
	return r.low <= limit && limit < r.high
}

// ratio is a typical turn's, and its 95 % interval.
type ratio struct{ middle, low, high float64 }

func ratioOf(ours, theirs [][]float64) ratio {
	var each [][]float64
	for _, r := range results.Pairs(theirs, ours) {
		each = append(each, []float64{math.Exp(r)})
	}
	ci := results.Interval(each)
	return ratio{math.Sqrt(ci[0] * ci[1]), ci[0], ci[1]}
}

func (r ratio) String() string { return fmt.Sprintf("%.3f [%.3f, %.3f]", r.middle, r.low, r.high) }

func middle(turns [][]float64) float64 {
	m, _ := stats.Median(results.GenerationMedians(turns))
	return m
}

func (c referenceCase) plan(seed uint64) harness.Plan {
	p := harness.DefaultPlan()
	p.Sizes, p.Placements = []int{c.size}, []string{c.placement}
	p.Generations, p.Seed = 1, seed
	return p
}

func (c referenceCase) runHarness(ctx context.Context, b *Bench, seed uint64) (p50 float64, err error) {
	r, err := b.measure(ctx, c.plan(seed), []string{c.transport}, nil)
	if err != nil {
		return 0, err
	}
	medians := results.GenerationMedians(r.Cells[0].RoundP50NS)
	return medians[0], nil
}

func (c referenceCase) runC(ctx context.Context, program string, env []string) (p50 float64, err error) {
	p := c.plan(0)
	client, server, err := harness.PlacementCPUs(c.placement)
	if err != nil {
		return 0, err
	}
	run := exec.CommandContext(ctx, program, c.kind, strconv.Itoa(c.size), strconv.Itoa(c.buffer),
		strconv.Itoa(client), strconv.Itoa(server), strconv.Itoa(p.Rounds),
		strconv.FormatInt(p.RoundTime.Milliseconds(), 10))
	run.Env = append(os.Environ(), env...)
	out, err := run.Output()
	if err != nil {
		return 0, fmt.Errorf("the C program: %w", err)
	}
	var rounds []float64
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		n, err := strconv.ParseFloat(lines.Text(), 64)
		if err != nil {
			return 0, fmt.Errorf("the C program: %w", err)
		}
		rounds = append(rounds, n)
	}
	return stats.Median(rounds)
}

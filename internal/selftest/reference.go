package selftest

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
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
	// allowedExcess is how much slower than C a row may be, in percent.
	allowedExcess = 10
	// referenceTurns of each program, in turn.
	referenceTurns = 9
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
		if ratio > 1+allowedExcess/100.0 {
			failed = fmt.Errorf("%w: %s: %.2f times the C program's p50", ErrFailed, c, ratio)
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

// compare prints the medians and returns the ratio of the harness's to that of
// the C program as it is. The C library's restartable sequences, which workers
// do without, are what the program is also run without.
func (c referenceCase) compare(ctx context.Context, b *Bench, program string, w io.Writer) (ratio float64, err error) {
	var ours, theirs, bare []float64
	for turn := range referenceTurns {
		n, err := c.runC(ctx, program, nil)
		if err != nil {
			return 0, err
		}
		theirs = append(theirs, n)
		if n, err = c.runC(ctx, program, []string{"GLIBC_TUNABLES=" + harness.WithoutRestartable}); err != nil {
			return 0, err
		}
		bare = append(bare, n)
		if n, err = c.runHarness(ctx, b, uint64(turn)); err != nil {
			return 0, err
		}
		ours = append(ours, n)
	}
	x, _ := stats.Median(ours)
	y, _ := stats.Median(theirs)
	z, _ := stats.Median(bare)
	fmt.Fprintf(w, "%s  ipcbench %6.2f µs  C %6.2f µs  ratio %.3f  (C without rseq %6.2f µs, ratio %.3f)\n",
		c, x/1e3, y/1e3, x/y, z/1e3, x/z)
	return x / y, nil
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

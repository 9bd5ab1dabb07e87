package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ipcbench/harness"
	"ipcbench/results"
	"ipcbench/results/compare"
)

// againstOptions are the flags of a paired run.
type againstOptions struct {
	program string
	ref     string
	gate    gateOptions
}

func (o *againstOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.program, "against", "", "paired run: take turns with this other build of ipcbench, and compare")
	c.Flags().StringVar(&o.ref, "against-ref", "", "the same with the build of a git revision of the current repository")
	o.gate.flags(c)
	c.MarkFlagsMutuallyExclusive("against", "against-ref")
	_ = c.MarkFlagFilename("against")
}

func (o *againstOptions) wanted() bool { return o.program != "" || o.ref != "" }

// refine takes the plan of a paired run where the user set none.
func refine(c *cobra.Command, p harness.Plan) harness.Plan {
	better := harness.PairedPlan()
	if !c.Flags().Changed("generations") {
		p.Generations = better.Generations
	}
	if !c.Flags().Changed("rounds") {
		p.Rounds = better.Rounds
	}
	if !c.Flags().Changed("round-time") {
		p.RoundTime = better.RoundTime
	}
	return p
}

// runPaired measures both builds and writes the comparison. Both outputs are
// opened before anything is built or measured.
func (o *runOptions) runPaired(c *cobra.Command) error {
	format, err := compare.LookupFormat(o.format)
	if err != nil {
		return err
	}
	options, err := o.against.gate.options()
	if err != nil {
		return err
	}
	prepared, err := harness.Prepare(transports(), refine(c, o.plan), o.transports)
	if err != nil {
		return err
	}
	out, store, err := o.open(c)
	if err != nil {
		return err
	}
	defer out.Discard()
	defer store.Discard()
	result, err := o.against.measure(c, prepared)
	if err != nil {
		return err
	}
	if err := errors.Join(results.JSON(store, result), store.Commit()); err != nil {
		return err
	}
	comparison, err := compare.Paired(result, options)
	if err != nil {
		return err
	}
	return writeComparison(out, comparison, format)
}

// measure pairs this program with the other one.
func (o *againstOptions) measure(c *cobra.Command, prepared *harness.Run) (*results.Result, error) {
	old, remove, err := o.build(c.Context())
	if err != nil {
		return nil, err
	}
	defer remove()
	self, err := ownProgram()
	if err != nil {
		return nil, err
	}
	prepared.Pair(old, self, nil)
	return measure(c.Context(), prepared, c.ErrOrStderr())
}

// build is the other program, and how to remove what was made for it.
func (o *againstOptions) build(ctx context.Context) (program string, remove func(), err error) {
	if o.ref == "" {
		program, err = filepath.Abs(o.program)
		return program, func() {}, err
	}
	directory, err := os.MkdirTemp("", "ipcbench-against-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(directory) }
	if program, err = buildRef(ctx, o.ref, directory); err != nil {
		remove()
		return "", nil, fmt.Errorf("--against-ref %s: %w", o.ref, err)
	}
	return program, remove, nil
}

// buildRef builds a revision in a clone of its own, so that the working tree
// stays as it is and an interrupt leaves no trace in the repository.
func buildRef(ctx context.Context, ref, directory string) (program string, err error) {
	top, err := command(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return "", err
	}
	commit, err := command(ctx, top, "git", "rev-parse", "--verify", "--end-of-options", ref+"^{commit}")
	if err != nil {
		return "", err
	}
	source := filepath.Join(directory, "source")
	program = filepath.Join(directory, "ipcbench")
	for _, step := range [][]string{
		{top, "git", "clone", "--quiet", "--shared", "--no-checkout", top, source},
		{source, "git", "checkout", "--quiet", "--detach", commit},
		{source, "go", "build", "-o", program, "./cmd/ipcbench"},
	} {
		if _, err := command(ctx, step[0], step[1], step[2:]...); err != nil {
			return "", err
		}
	}
	return program, nil
}

// command runs a program and returns what it prints, without the last newline.
func command(ctx context.Context, directory, name string, arguments ...string) (string, error) {
	var said bytes.Buffer
	c := exec.CommandContext(ctx, name, arguments...)
	c.Dir, c.Stderr = directory, &said
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, arguments[0], err, strings.TrimSpace(said.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

func ownProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program's own file: %w", err)
	}
	return self, nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"ipcbench/harness"
	"ipcbench/harness/env"
	"ipcbench/results"
)

// runOptions are the flags of ipcbench run.
type runOptions struct {
	plan       harness.Plan
	transports []string
	sizes      []string
	format     string
	output     string
	store      string
	rateSet    bool
	against    againstOptions
}

func newRun() *cobra.Command {
	o := runOptions{plan: harness.DefaultPlan()}
	c := &cobra.Command{
		Use:   "run",
		Short: "Measure, and print a table",
		Long: "Run measures request/reply work between real processes over each transport: latency,\n" +
			"throughput, copies, system calls and CPU time per operation, next to what the machine allows.\n" +
			"With no flags it measures everything that is fit for the default matrix, in about a minute.",
		Example: "  ipcbench run\n" +
			"  ipcbench run -t 'pipe,unix-*' -s 64,64K --placement cross,same\n" +
			"  ipcbench run -t shm,pipe --wait block,adaptive,spin --format markdown -o report.md\n" +
			"  ipcbench run -t unix-stream --rate 20000 --format json -o open-loop.json\n" +
			"  ipcbench run -t pipe -s 64,64K --against-ref main --format markdown   # worse is exit status 1",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.rateSet = c.Flags().Changed("rate")
			return o.run(c)
		},
	}
	o.flags(c)
	return c
}

func (o *runOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringSliceVarP(&o.transports, "transport", "t", nil, "names or globs (default: all that are fit for the default matrix)")
	f.StringSliceVarP(&o.sizes, "size", "s", []string{"64", "4K", "64K", "1M"}, "payload bytes, K and M are powers of 1024")
	f.StringSliceVarP(&o.plan.Workloads, "workload", "w", o.plan.Workloads, "echo, small-reply, small-request, one-way")
	f.IntSliceVarP(&o.plan.Clients, "clients", "c", o.plan.Clients, "client processes")
	f.StringSliceVar(&o.plan.Waits, "wait", o.plan.Waits, "block, adaptive, spin")
	f.StringSliceVar(&o.plan.Placements, "placement", o.plan.Placements, "cross (two CPUs), same (one), free")
	f.IntVar(&o.plan.Rounds, "rounds", o.plan.Rounds, "rounds a cell and generation")
	f.DurationVar(&o.plan.RoundTime, "round-time", o.plan.RoundTime, "time a round")
	f.IntVar(&o.plan.Generations, "generations", o.plan.Generations, "fresh worker processes a cell")
	f.Float64Var(&o.plan.RatePerSecond, "rate", 0, "open loop: operations a second, latency from the intended start")
	f.DurationVar(&o.plan.Gap, "gap", 0, "pause before each call")
	f.Uint64Var(&o.plan.Seed, "seed", o.plan.Seed, "order of rounds and payload contents")
	f.StringVar(&o.store, "store", "", "store the result as JSON, besides: in a file, or in a folder under its time")
	_ = c.MarkFlagFilename("store")
	o.against.flags(c)
	formatFlags(c, &o.format, &o.output)
	completeList(c, "transport", transportNames)
	completeList(c, "workload", workloadNames)
	completeList(c, "wait", func() []string { return []string{"block", "adaptive", "spin"} })
	completeList(c, "placement", func() []string { return []string{harness.Cross, harness.Same, harness.Free} })
}

func completeList(c *cobra.Command, flag string, names func() []string) {
	_ = c.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return names(), cobra.ShellCompDirectiveNoFileComp
	})
}

// run checks everything that can be wrong with the flags, the output included,
// before it measures.
func (o *runOptions) run(c *cobra.Command) (err error) {
	if o.plan.Sizes, err = parseSizes(o.sizes); err != nil {
		return err
	}
	if o.rateSet && o.plan.RatePerSecond <= 0 {
		return fmt.Errorf("--rate %v: an open loop needs a rate above 0", o.plan.RatePerSecond)
	}
	if o.against.wanted() {
		return o.runPaired(c)
	}
	format, err := results.LookupFormat(o.format)
	if err != nil {
		return err
	}
	prepared, err := harness.Prepare(transports(), o.plan, o.transports)
	if err != nil {
		return err
	}
	out, store, err := o.open(c)
	if err != nil {
		return err
	}
	defer out.Discard()
	defer store.Discard()
	result, measureErr := measure(c.Context(), prepared, c.ErrOrStderr())
	if len(result.Cells) > 0 {
		err := errors.Join(results.JSON(store, result), store.Commit(), format.Render(out, result), out.Commit())
		if err != nil {
			return err
		}
	}
	return measureErr
}

// open opens what the run writes: the report, and the stored result.
func (o *runOptions) open(c *cobra.Command) (out, store *results.Output, err error) {
	if out, err = results.OpenOutput(o.output, c.OutOrStdout()); err != nil {
		return nil, nil, err
	}
	if store, err = openStore(o.store); err != nil {
		out.Discard()
		return nil, nil, err
	}
	return out, store, nil
}

// openStore opens the file in which a result is stored; in a folder, which a
// slash at the end asks for, it is named by the time.
func openStore(name string) (*results.Output, error) {
	if strings.HasSuffix(name, "/") {
		if err := os.MkdirAll(name, 0o777); err != nil {
			return nil, err
		}
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, time.Now().UTC().Format("20060102T150405.000Z")+".json")
	}
	return results.OpenOutput(name, io.Discard)
}

// measure runs until done or interrupted, with progress on a terminal.
func measure(ctx context.Context, r *harness.Run, stderr io.Writer) (*results.Result, error) {
	ctx, stop := signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	environment, warnings := env.Capture()
	p := newProgress(stderr, time.Now)
	measured, err := r.Measure(ctx, p.tell)
	p.clear()
	measured.Warnings = slices.Concat(measured.Warnings, env.Warnings(environment), warnings)
	return results.Build(environment, measured), err
}

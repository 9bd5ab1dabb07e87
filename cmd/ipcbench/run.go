package main

import (
	"context"
	"errors"
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
	planOptions
	format  string
	output  string
	store   string
	against againstOptions
}

func newRun() *cobra.Command {
	o := runOptions{planOptions: planOptions{plan: harness.DefaultPlan(), sizes: []string{"64", "4K", "64K", "1M"}}}
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
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	o.flags(c)
	return c
}

func (o *runOptions) flags(c *cobra.Command) {
	o.planOptions.flags(c)
	c.Flags().Lookup("transport").Usage += " (default: all that are fit for the default matrix)"
	c.Flags().StringVar(&o.store, "store", "", "store the result as JSON, besides: in a file, or in a folder under its time")
	_ = c.MarkFlagFilename("store")
	o.against.flags(c)
	formatFlags(c, &o.format, &o.output)
}

func completeList(c *cobra.Command, flag string, names func() []string) {
	_ = c.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		before := typed[:strings.LastIndex(typed, ",")+1] // earlier elements of the list
		all := names()
		for i, name := range all {
			all[i] = before + name
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	})
}

// run checks everything that can be wrong with the flags, the output included,
// before it measures.
func (o *runOptions) run(c *cobra.Command) error {
	if err := o.read(c); err != nil {
		return err
	}
	if o.against.wanted() {
		return o.runPaired(c)
	}
	if c.Flags().Changed("threshold") {
		return errors.New("--threshold: a run by itself is compared with nothing; it goes with --against or --against-ref")
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

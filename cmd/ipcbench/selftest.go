package main

import (
	"errors"
	"fmt"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"ipcbench/internal/selftest"
)

func newSelftest() *cobra.Command {
	bench := selftest.Bench{Transports: transports()}
	c := &cobra.Command{
		Use:     "selftest [NAME...]",
		Short:   "Prove on this machine that the harness can be trusted",
		Long:    "Selftest runs the harness against itself and against a C program, and prints what it counted.\nIt wants an idle machine. Exit status 1: a count is not what it must be.\n\nTests:\n",
		Example: "  ipcbench selftest\n  ipcbench selftest slowdown\n  ipcbench selftest gate --runs 10 --case aa,slow10",
		RunE: func(c *cobra.Command, names []string) error {
			if bench.Runs < 1 {
				return fmt.Errorf("--runs %d: at least one is needed", bench.Runs)
			}
			if err := selftest.CheckGateCases(bench.Cases); err != nil {
				return err
			}
			return runSelftest(c, names, &bench)
		},
	}
	for _, t := range selftest.Tests {
		c.Long += fmt.Sprintf("  %-10s %s\n", t.Name, t.Summary)
		c.ValidArgs = append(c.ValidArgs, t.Name)
	}
	c.Flags().IntVar(&bench.Runs, "runs", 60, "paired runs of each case of the gate, of some seconds each")
	c.Flags().StringSliceVar(&bench.Cases, "case", nil, "cases of the gate: "+strings.Join(selftest.GateCases(), ", ")+" (default all)")
	completeList(c, "case", selftest.GateCases)
	return c
}

func runSelftest(c *cobra.Command, names []string, bench *selftest.Bench) error {
	tests, err := selectTests(names)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer stop()
	p := newProgress(c.ErrOrStderr(), time.Now)
	bench.Progress = p.tell
	var failed error
	for _, t := range tests {
		fmt.Fprintf(c.OutOrStdout(), "%s: %s\n", t.Name, t.Summary)
		err := t.Run(ctx, bench, c.OutOrStdout())
		p.clear()
		switch {
		case errors.Is(err, selftest.ErrFailed):
			failed = fmt.Errorf("%w: %w", errNo, err)
		case errors.Is(err, errors.ErrUnsupported):
			fmt.Fprintf(c.OutOrStdout(), "skipped: %v\n", err)
		case err != nil:
			return err
		}
	}
	return failed
}

func selectTests(names []string) (tests []selftest.Test, err error) {
	if len(names) == 0 {
		for _, t := range selftest.Tests {
			if !t.Long {
				tests = append(tests, t)
			}
		}
		return tests, nil
	}
	for _, name := range names {
		found := false
		for _, t := range selftest.Tests {
			if t.Name == name {
				tests, found = append(tests, t), true
			}
		}
		if !found {
			return nil, fmt.Errorf("unknown self-test %q (ipcbench selftest --help names them)", name)
		}
	}
	return tests, nil
}

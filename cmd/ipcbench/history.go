package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"ipcbench/harness"
	"ipcbench/results/history"
)

// historyOptions are the flags of ipcbench history.
type historyOptions struct {
	metric, format, output string
	sizes                  []string
	wanted                 history.Filter
}

func newHistory() *cobra.Command {
	var o historyOptions
	c := &cobra.Command{
		Use:   "history DIR",
		Short: "Show a metric over many stored results",
		Long: "History reads the results in a folder, in the order of the times they hold, and shows how one\n" +
			"metric of each cell went: of several cells the first and the last value and the trend, of a single\n" +
			"cell every value. It says where the machine or the plan changed in between. What is no result is\n" +
			"left out with a warning; a damaged file makes the exit status 2.",
		Example: "  ipcbench run --store results.d/        # a file a run, named by its time\n" +
			"  ipcbench history results.d\n" +
			"  ipcbench history --metric p99 -t 'pipe,unix-*' -s 64 results.d\n" +
			"  ipcbench history --metric throughput --format markdown -o history.md results.d",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, arguments []string) error { return o.run(c, arguments[0]) },
	}
	f := c.Flags()
	f.StringVar(&o.metric, "metric", history.Metrics()[0], "what to show")
	f.StringSliceVarP(&o.wanted.Transports, "transport", "t", nil, "names or globs (default all)")
	f.StringSliceVarP(&o.sizes, "size", "s", nil, "payload bytes, K and M are powers of 1024 (default all)")
	f.StringSliceVarP(&o.wanted.Workloads, "workload", "w", nil, "workloads (default all)")
	f.IntSliceVarP(&o.wanted.Clients, "clients", "c", nil, "numbers of clients (default all)")
	f.StringSliceVar(&o.wanted.Waits, "wait", nil, "block, adaptive, spin (default all)")
	f.StringSliceVar(&o.wanted.Placements, "placement", nil, "cross, same, free (default all)")
	f.StringVar(&o.format, "format", history.Formats[0].Name, "one of "+history.FormatNames())
	f.StringVarP(&o.output, "output", "o", "", "file to write to, whole or not at all (default standard output)")
	completeList(c, "metric", history.Metrics)
	completeList(c, "transport", transportNames)
	completeList(c, "workload", workloadNames)
	completeList(c, "wait", func() []string { return []string{"block", "adaptive", "spin"} })
	completeList(c, "placement", func() []string { return []string{harness.Cross, harness.Same, harness.Free} })
	completeList(c, "format", historyFormats)
	_ = c.MarkFlagFilename("output")
	return c
}

func historyFormats() (names []string) {
	for _, f := range history.Formats {
		names = append(names, f.Name+"\t"+f.Summary)
	}
	return names
}

func (o *historyOptions) run(c *cobra.Command, directory string) (err error) {
	format, err := history.LookupFormat(o.format)
	if err != nil {
		return err
	}
	if o.wanted.Sizes, err = parseSizes(o.sizes); err != nil {
		return err
	}
	if err := history.CheckPatterns(o.wanted.Transports); err != nil {
		return err
	}
	stored, skipped, err := history.Load(directory)
	if err != nil {
		return err
	}
	h, err := history.Build(stored, o.metric, o.wanted)
	if err != nil {
		return err
	}
	var damaged []string
	for _, s := range skipped {
		h.Warnings = append(h.Warnings, "left out: "+s.Err.Error())
		if s.Damaged() {
			damaged = append(damaged, s.Err.Error())
		}
	}
	if err := write(c.OutOrStdout(), o.output, func(w io.Writer) error { return format.Render(w, h) }); err != nil {
		return err
	}
	if len(damaged) > 0 {
		return fmt.Errorf("left out: %s", strings.Join(damaged, "; "))
	}
	return nil
}

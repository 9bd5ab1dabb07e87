package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ipcbench/harness/claims"
	"ipcbench/results"
)

func newReport() *cobra.Command {
	var format, output string
	c := &cobra.Command{
		Use:   "report FILE...",
		Short: "Write stored results in any format",
		Long: "Report writes results, or the verdicts of claims, that were stored as JSON, in any format.\n" +
			"Several results are written one after the other. All are read and checked before anything\n" +
			"is written. Markdown that goes to a file has its plots beside it, as SVG files. The format html\n" +
			"takes a result, claims, or one of each. Several files of claims are one report: that of the first,\n" +
			"with what the others could try and the first could not in columns of their own.",
		Example: "  ipcbench report result.json\n" +
			"  ipcbench report --format markdown -o report.md result.json\n" +
			"  ipcbench report --format html -o report.html result.json claims.json\n" +
			"  ipcbench report --format gobench old.json > old.txt   # for benchstat",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			return report(c.OutOrStdout(), files, format, output)
		},
	}
	formatFlags(c, &format, &output)
	return c
}

// formatFlags are the flags of every command that writes a result.
func formatFlags(c *cobra.Command, format, output *string) {
	c.Flags().StringVar(format, "format", results.Formats[0].Name, "one of "+results.FormatNames())
	c.Flags().StringVarP(output, "output", "o", "", "file to write to, whole or not at all (default standard output)")
	_ = c.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var names []string
		for _, f := range results.Formats {
			names = append(names, f.Name+"\t"+f.Summary)
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	})
	_ = c.MarkFlagFilename("output")
}

// report writes results, or what became of claims: a file says which it is.
func report(stdout io.Writer, files []string, format, output string) error {
	stored, tried, err := readReports(files)
	if err != nil {
		return err
	}
	if len(tried) == 0 {
		return reportResults(stdout, stored, format, output)
	}
	joined := tried[0].Beside(tried[1:]...)
	switch {
	case format == results.PageFormat && len(stored) <= 1:
		var r *results.Result
		if len(stored) > 0 {
			r = stored[0]
		}
		return write(stdout, output, func(w io.Writer) error { return results.Page(w, r, joined) })
	case len(stored) > 0:
		return fmt.Errorf("claims are written by themselves, or with one result as %s, not with %d results as %s",
			results.PageFormat, len(stored), format)
	}
	f, err := results.LookupClaimsFormat(format)
	if err != nil {
		return err
	}
	return write(stdout, output, func(w io.Writer) error { return f.Render(w, joined) })
}

// readReports reads all files before anything is written.
func readReports(files []string) (stored []*results.Result, tried []*claims.Report, err error) {
	for _, name := range files {
		r, err := results.ReadFile(name)
		if err == nil {
			stored = append(stored, r)
			continue
		}
		c, claimsErr := results.ReadClaimsFile(name)
		switch {
		case claimsErr == nil:
			tried = append(tried, c)
		case errors.Is(err, results.ErrForeign) && !errors.Is(claimsErr, results.ErrForeign):
			return nil, nil, claimsErr
		default:
			return nil, nil, err
		}
	}
	return stored, tried, nil
}

func reportResults(stdout io.Writer, stored []*results.Result, format, output string) error {
	f, err := results.LookupFormat(format)
	if err != nil {
		return err
	}
	if f.Single && len(stored) > 1 {
		return fmt.Errorf("format %s takes one file, not %d", f.Name, len(stored))
	}
	return write(stdout, output, func(w io.Writer) error {
		for _, r := range stored {
			if err := f.Render(w, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// write writes a report to a file or standard output, whole or not at all.
func write(stdout io.Writer, output string, render func(io.Writer) error) error {
	out, err := results.OpenOutput(output, stdout)
	if err != nil {
		return err
	}
	defer out.Discard()
	if err := render(out); err != nil {
		return err
	}
	return out.Commit()
}

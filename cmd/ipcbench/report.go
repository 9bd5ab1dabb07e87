package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ipcbench/results"
)

func newReport() *cobra.Command {
	var format, output string
	c := &cobra.Command{
		Use:   "report FILE...",
		Short: "Write stored results in any format",
		Long: "Report writes results that were stored as JSON, in any format. Several files are written\n" +
			"one after the other. All are read and checked before anything is written.",
		Example: "  ipcbench report result.json\n" +
			"  ipcbench report --format markdown -o report.md result.json\n" +
			"  ipcbench report --format gobench old.json > old.txt   # for benchstat",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error {
			f, err := results.LookupFormat(format)
			if err != nil {
				return err
			}
			return report(c.OutOrStdout(), files, f, output)
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

func report(stdout io.Writer, files []string, f results.Format, output string) error {
	if f.Single && len(files) > 1 {
		return fmt.Errorf("format %s takes one file, not %d", f.Name, len(files))
	}
	var all []*results.Result
	for _, name := range files {
		r, err := results.ReadFile(name)
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	out, err := results.OpenOutput(output, stdout)
	if err != nil {
		return err
	}
	defer out.Discard()
	for _, r := range all {
		if err := f.Render(out, r); err != nil {
			return err
		}
	}
	return out.Commit()
}

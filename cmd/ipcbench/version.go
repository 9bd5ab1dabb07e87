package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"ipcbench/harness/env"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the commit and the Go version of this build",
		Example: "  ipcbench version",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			commit, dirty := env.Commit()
			if commit == "" {
				commit = "unknown commit"
			}
			if dirty {
				commit += " (modified)"
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "ipcbench %s %s %s/%s\n",
				commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

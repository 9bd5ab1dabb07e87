// Command ipcbench measures how Linux IPC mechanisms compare.
//
// Exit status: 0 done; 1 the answer is no; 2 it could not be done.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ipcbench/harness"
	"ipcbench/harness/claims"
	"ipcbench/harness/claims/cast"
	"ipcbench/internal/selftest"
)

// The exit statuses that scripts rely on.
const (
	exitDone  = 0
	exitNo    = 1
	exitError = 2
)

// errNo is returned, or wrapped, by a subcommand that did its work and whose
// answer is no: a regression, a refuted expectation that was asked to hold.
var errNo = errors.New("the answer is no")

func main() {
	if len(os.Args) == 2 && os.Args[1] == harness.WorkerArgument {
		os.Exit(harness.RunWorker(selftest.WithLiars(transports())))
	}
	if len(os.Args) == 2 && os.Args[1] == cast.Argument {
		os.Exit(cast.Run(claims.Openers(subjects())))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole command. It returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return exitDone
	}
	fmt.Fprintln(stderr, "ipcbench:", oneLine(err))
	if errors.Is(err, errNo) {
		return exitNo
	}
	return exitError
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "ipcbench",
		Short: "Measure how Linux IPC mechanisms compare",
		Example: "  ipcbench run\n" +
			"  ipcbench doctor\n" +
			"  ipcbench report --format markdown result.json",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.AddCommand(newRun(), newList(), newReport(), newCompare(), newHistory(), newDoctor(), newSelftest(), newClaims(), newBinder(), newVersion())
	return root
}

// oneLine keeps an error on the one line that scripts expect.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}

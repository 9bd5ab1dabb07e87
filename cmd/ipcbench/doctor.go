package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"ipcbench/harness/env"
	"ipcbench/ipc/binder/device/kernel"
	"ipcbench/results"
)

func newDoctor() *cobra.Command {
	var strict bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say whether this machine is fit to measure on, and what would make it better",
		Example: "  ipcbench doctor\n" +
			"  ipcbench doctor --strict || exit   # in CI, before measuring",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			e, warnings := env.Capture()
			advice := append(env.Diagnose(e), binderDriver())
			if err := writeDiagnosis(c.OutOrStdout(), e, warnings, advice); err != nil {
				return err
			}
			if strict && !env.Fit(advice) {
				return errUnfit
			}
			return nil
		},
	}
	c.Flags().BoolVar(&strict, "strict", false, "exit status 1 where the machine is unfit")
	return c
}

// errUnfit is the answer no of doctor.
var errUnfit = fmt.Errorf("%w: this machine is unfit to measure on", errNo)

// binderDriver says whether the running kernel's own Binder can be measured.
func binderDriver() env.Advice {
	path, err := kernel.Find()
	if err != nil {
		return env.Advice{Level: env.Note, Subject: "Binder in the kernel", Found: "none: binder-kernel is skipped", Do: reason(err)}
	}
	return env.Advice{Level: env.Good, Subject: "Binder in the kernel", Found: path}
}

func writeDiagnosis(w io.Writer, e env.Environment, warnings []string, advice []env.Advice) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d CPUs, Linux %s, %s\n\n", e.CPU.Model, e.CPU.Online, e.Kernel, e.Go)
	for _, a := range advice {
		fmt.Fprintf(&b, "%-5s  %s: %s\n", a.Level, a.Subject, a.Found)
		if a.Do != "" {
			fmt.Fprintf(&b, "       → %s\n", results.WrapPlain(a.Do, strings.Repeat(" ", 9)))
		}
	}
	for _, warning := range warnings {
		fmt.Fprintf(&b, "%-5s  not known: %s\n", env.Note, warning)
	}
	if env.Fit(advice) {
		b.WriteString("\nFit to measure on.\n")
	} else {
		b.WriteString("\nUnfit to measure on: see above.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

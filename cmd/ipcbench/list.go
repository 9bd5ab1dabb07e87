package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"ipcbench/harness/workload"
	"ipcbench/ipc"
	"ipcbench/results"
)

func newList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List transports and workloads, available here or why not",
		Example: "  ipcbench list",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return list(c.OutOrStdout()) },
	}
}

func list(w io.Writer) error {
	var b strings.Builder
	const row = "%-20s %-11s %-22s %s\n"
	fmt.Fprintf(&b, row, "transport", "here", "waits", "what it is")
	var lacks []lack
	for _, t := range transports().All() {
		info, here := t.Info(), "yes"
		switch err := available(t); {
		case err != nil:
			here = "no"
			lacks = addLack(lacks, info.Name, reason(err))
		case info.Optional:
			here = "when named"
		}
		fmt.Fprintf(&b, row, info.Name, here, waits(info), results.WrapPlain(info.Summary, strings.Repeat(" ", 56)))
	}
	for _, l := range lacks {
		fmt.Fprintf(&b, "\n%s\n", results.WrapPlain("no "+strings.Join(l.names, ", ")+": "+l.reason, "  "))
	}
	fmt.Fprintf(&b, "\n%-20s what it is\n", "workload")
	for _, work := range workload.All {
		fmt.Fprintf(&b, "%-20s %s\n", work.Name, results.WrapPlain(work.Summary, strings.Repeat(" ", 21)))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// lack is why some transports cannot be had here.
type lack struct {
	names  []string
	reason string
}

// addLack says a reason once for all that it keeps away.
func addLack(all []lack, name, reason string) []lack {
	for i := range all {
		if all[i].reason == reason {
			all[i].names = append(all[i].names, name)
			return all
		}
	}
	return append(all, lack{[]string{name}, reason})
}

// available is why a small channel cannot be had here, or nil.
func available(t ipc.Transport) error {
	return t.Check(ipc.Config{MaxRequest: 64, MaxReply: 64, Clients: 1})
}

// reason is an error on one line, without the words that only say that it is one of
// something missing.
func reason(err error) string {
	s := oneLine(err)
	if _, after, found := strings.Cut(s, errors.ErrUnsupported.Error()+": "); found {
		return after
	}
	return s
}

func waits(info ipc.Info) string {
	var names []string
	for _, w := range info.Waits {
		names = append(names, w.String())
	}
	return strings.Join(names, ", ")
}

func transportNames() (names []string) {
	for _, t := range transports().All() {
		names = append(names, t.Info().Name+"\t"+t.Info().Summary)
	}
	return names
}

func workloadNames() (names []string) {
	for _, w := range workload.All {
		names = append(names, w.Name+"\t"+w.Summary)
	}
	return names
}

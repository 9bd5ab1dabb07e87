package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/spf13/cobra"

	"ipcbench/harness/workload"
	"ipcbench/ipc"
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
	t := tablewriter.NewTable(w, tablewriter.WithMaxWidth(100))
	t.Header("transport", "what it is", "waits", "here")
	for _, transport := range transports().All() {
		info := transport.Info()
		if err := t.Append(info.Name, info.Summary, waits(info), available(transport)); err != nil {
			return err
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	for _, work := range workload.All {
		if _, err := fmt.Fprintf(w, "workload %-13s %s\n", work.Name, work.Summary); err != nil {
			return err
		}
	}
	return nil
}

func waits(info ipc.Info) string {
	var names []string
	for _, w := range info.Waits {
		names = append(names, w.String())
	}
	return strings.Join(names, ", ")
}

// available says yes, or why a small channel cannot be had here.
func available(t ipc.Transport) string {
	if err := t.Check(ipc.Config{MaxRequest: 64, MaxReply: 64, Clients: 1}); err != nil {
		return "no: " + oneLine(err)
	}
	if t.Info().Optional {
		return "yes, when named"
	}
	return "yes"
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

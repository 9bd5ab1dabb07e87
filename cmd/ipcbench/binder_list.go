package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/servicemanager"
)

func newBinderList(d *binderDevice) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the services of a device with their interfaces",
		Example: "  ipcbench binder list",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return d.with(func(ps *binder.ProcessState) error { return listServices(c.OutOrStdout(), ps) })
		},
	}
}

func listServices(w io.Writer, ps *binder.ProcessState) error {
	sm, err := servicemanager.Connect(ps)
	if err != nil {
		return err
	}
	defer sm.Close()
	names, err := sm.ListServices()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := fmt.Fprintf(w, "%s: [%s]\n", name, interfaceOf(sm, name)); err != nil {
			return err
		}
	}
	return nil
}

// interfaceOf asks a service for its interface, or says why it does not answer.
func interfaceOf(sm *servicemanager.Client, name string) string {
	service, err := sm.CheckService(name)
	if err != nil {
		return err.Error()
	}
	defer service.Close()
	descriptor, err := service.InterfaceDescriptor()
	if err != nil {
		return err.Error()
	}
	return descriptor
}

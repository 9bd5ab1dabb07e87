package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/shared"
)

func newBinderPS(d *binderDevice) *cobra.Command {
	return &cobra.Command{
		Use:   "ps [state | stats | transactions | PID]",
		Short: "Show what goes on in a running device, as the kernel's binder/state, stats, transactions and proc do",
		Example: "  ipcbench binder ps\n" +
			"  ipcbench binder ps stats\n" +
			"  ipcbench binder ps state --device kernel",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			view := "state"
			if len(args) == 1 {
				view = args[0]
			}
			dev, err := d.existing()
			if err != nil {
				return err
			}
			return errors.Join(showDevice(c.OutOrStdout(), dev, view), closeBinder(dev))
		},
	}
}

// showDevice writes the driver's own text, without opening the device.
func showDevice(w io.Writer, dev device.Device, view string) error {
	if _, err := strconv.Atoi(view); err == nil {
		view = "proc/" + view
	}
	viewer, ok := dev.(device.Viewer)
	if !ok {
		return fmt.Errorf("the %s device does not show its state: %w", dev.Name(), errors.ErrUnsupported)
	}
	text, err := viewer.View(view)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w (have state, stats, transactions, or a process id)", err)
	}
	if err != nil {
		return err
	}
	if own, ok := dev.(*shared.Device); ok {
		if holder, thread := own.Holder(); holder != 0 {
			fmt.Fprintf(w, "driver lock held by process %d, thread %d\n", holder, thread)
		}
	}
	_, err = io.WriteString(w, text)
	return err
}

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/kernel"
	"ipcbench/ipc/binder/device/shared"
)

func newBinderPS(d *binderDevice) *cobra.Command {
	return &cobra.Command{
		Use:     "ps",
		Short:   "Show the statistics and processes of a running device, as the kernel's binder/stats does",
		Example: "  ipcbench binder ps\n  ipcbench binder ps --device kernel",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			dev, err := d.existing()
			if err != nil {
				return err
			}
			return errors.Join(showDevice(c.OutOrStdout(), dev), closeBinder(dev))
		},
	}
}

// showDevice writes the driver's own text, without opening the device.
func showDevice(w io.Writer, dev device.Device) error {
	if own, ok := dev.(*shared.Device); ok {
		if pid, tid := own.Holder(); pid != 0 {
			fmt.Fprintf(w, "driver lock held by process %d, thread %d\n", pid, tid)
		}
		return own.Driver().WriteStats(w)
	}
	dir, ok := kernel.Logs()
	if !ok {
		return fmt.Errorf("%w: the kernel shows neither debugfs nor a binderfs with statistics", errors.ErrUnsupported)
	}
	text, err := os.ReadFile(filepath.Join(dir, "stats"))
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

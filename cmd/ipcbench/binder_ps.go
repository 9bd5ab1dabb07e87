package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/kernel"
	"ipcbench/ipc/binder/device/shared"
	"ipcbench/ipc/binder/driver"
)

// views are the texts that a driver shows of itself, by the names of the
// kernel's files.
var views = map[string]func(*driver.State, io.Writer) error{
	"state":        (*driver.State).WriteState,
	"stats":        (*driver.State).WriteStats,
	"transactions": (*driver.State).WriteTransactions,
}

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
	pid, err := strconv.Atoi(view)
	isPID := err == nil
	if _, known := views[view]; !known && !isPID {
		return fmt.Errorf("no view %q of a Binder device (have state, stats, transactions, or a process id)", view)
	}
	own, ok := dev.(*shared.Device)
	switch {
	case !ok:
		return showKernel(w, view, isPID)
	case isPID:
		return showProcess(w, own.Driver().State(), pid)
	}
	if holder, thread := own.Holder(); holder != 0 {
		fmt.Fprintf(w, "driver lock held by process %d, thread %d\n", holder, thread)
	}
	state := own.Driver().State()
	return views[view](&state, w)
}

func showProcess(w io.Writer, state driver.State, pid int) error {
	found := false
	for i := range state.Procs {
		if p := &state.Procs[i]; int(p.PID) == pid {
			found = true
			if err := p.Write(w); err != nil {
				return err
			}
		}
	}
	if !found {
		return fmt.Errorf("process %d has not opened the Binder device", pid)
	}
	return nil
}

// showKernel copies what the kernel's driver shows.
func showKernel(w io.Writer, view string, isPID bool) error {
	dir, ok := kernel.Logs()
	if !ok {
		return fmt.Errorf("%w: the kernel shows neither debugfs nor a binderfs with statistics", errors.ErrUnsupported)
	}
	if isPID {
		view = filepath.Join("proc", view)
	}
	text, err := os.ReadFile(filepath.Join(dir, view))
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/daemon"
	"ipcbench/ipc/binder/device/kernel"
	"ipcbench/ipc/binder/device/shared"
)

// binderDevice is the Binder device that the flags of a subcommand choose.
type binderDevice struct{ name, dir, node, socket string }

func newBinder() *cobra.Command {
	c := &cobra.Command{
		Use:   "binder",
		Short: "Serve, call and look at Binder services",
		Example: "  ipcbench binder serve &\n" +
			"  ipcbench binder list\n" +
			"  ipcbench binder call ipcbench.echo 1 s16 hello\n" +
			"  ipcbench binder ps\n" +
			"  ipcbench binder daemon &\n" +
			"  ipcbench binder serve --device daemon",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var d binderDevice
	flags := c.PersistentFlags()
	flags.StringVar(&d.name, "device", "shared", "shared, the driver in Go; daemon, the same in a process of its own; or kernel")
	flags.StringVar(&d.dir, "dir", shared.DefaultDir(), "directory of the shared device")
	flags.StringVar(&d.socket, "socket", daemon.DefaultSocket(), "where the daemon listens; a name that begins with @ is outside the file system")
	flags.StringVar(&d.node, "binder-device", "", "node of the kernel's driver; by default it is looked for")
	c.AddCommand(newBinderServe(&d), newBinderCall(&d), newBinderList(&d), newBinderPS(&d), newBinderDaemon(&d))
	return c
}

// open opens the device for this process.
func (d *binderDevice) open() (device.Device, error) {
	switch d.name {
	case "shared":
		return shared.New(shared.Options{Dir: d.dir})
	case daemon.Name:
		return daemon.New(daemon.Options{Socket: d.socket}), nil
	case kernel.Name:
		return kernel.New(d.node)
	}
	return nil, fmt.Errorf("no Binder device %q (have shared, daemon and kernel)", d.name)
}

// existing is open, without making a shared device that is not there.
func (d *binderDevice) existing() (device.Device, error) {
	if d.name == "shared" {
		if _, err := os.Stat(d.dir); err != nil {
			return nil, fmt.Errorf("no shared Binder device (ipcbench binder serve makes one): %w", err)
		}
	}
	return d.open()
}

// with runs f with a ProcessState of a device that exists.
func (d *binderDevice) with(f func(*binder.ProcessState) error) error {
	dev, err := d.existing()
	if err != nil {
		return err
	}
	ps, err := binder.Open(dev, binder.WithMaxThreads(0))
	if err != nil {
		return errors.Join(err, closeBinder(dev))
	}
	return errors.Join(f(ps), ps.Close(), closeBinder(dev))
}

// await waits for a service manager, awaitDevice for the device, but not for long.
func (d *binderDevice) await(ctx context.Context) {
	d.awaitThat(ctx, func() error { return d.with(pingManager) })
}

func (d *binderDevice) awaitDevice(ctx context.Context) {
	d.awaitThat(ctx, func() error { return d.with(func(*binder.ProcessState) error { return nil }) })
}

func (d *binderDevice) awaitThat(ctx context.Context, works func() error) {
	const patience, interval = 5 * time.Second, 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for ctx.Err() == nil && works() != nil {
		select {
		case <-ctx.Done():
		case <-time.After(interval):
		}
	}
}

func pingManager(ps *binder.ProcessState) error {
	manager, err := ps.ContextObject()
	if err != nil {
		return err
	}
	return manager.Close()
}

// closeBinder lets go of a device that holds something beside its files.
func closeBinder(dev device.Device) error {
	if c, ok := dev.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/servicemanager"
)

// The example service: its only call, 1, answers a String16 with itself.
const (
	echoService    = "ipcbench.echo"
	echoDescriptor = "org.ipcbench.IEcho"
)

func newBinderServe(d *binderDevice) *cobra.Command {
	name, await := echoService, false
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve an echo service until interrupted, and be the service manager if there is none",
		Example: "  ipcbench binder serve\n" +
			"  ipcbench binder serve --device kernel --name my.echo",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if await {
				d.awaitDevice(c.Context())
			}
			ctx, stop := signal.NotifyContext(c.Context(), unix.SIGINT, unix.SIGTERM)
			defer stop()
			return d.serve(ctx, name, func(as string) {
				fmt.Fprintf(c.ErrOrStderr(), "serving %s on %s, %s\n", name, d.name, as)
			})
		},
	}
	c.Flags().StringVar(&name, "name", name, "name of the service")
	c.Flags().BoolVar(&await, "await", false, "wait up to 5 seconds for the device first")
	return c
}

func (d *binderDevice) serve(ctx context.Context, name string, ready func(as string)) error {
	dev, err := d.open()
	if err != nil {
		return err
	}
	ps, err := binder.Open(dev)
	if err != nil {
		return errors.Join(err, closeBinder(dev))
	}
	as, err := registerEcho(ps, name)
	if err == nil {
		err = ps.StartThreadPool()
	}
	if err == nil {
		ready(as)
		<-ctx.Done()
	}
	return errors.Join(err, ps.Close(), closeBinder(dev))
}

// registerEcho registers the service with the service manager, which it becomes
// if there is none.
func registerEcho(ps *binder.ProcessState, name string) (as string, err error) {
	echo := ps.NewBinder(echoDescriptor, binder.HandlerFunc(serveEcho))
	manager, err := servicemanager.Become(ps)
	if err == nil {
		return "as its service manager", manager.Add(name, echo)
	}
	if !errors.Is(err, unix.EBUSY) {
		return "", err
	}
	client, err := servicemanager.Connect(ps)
	if err != nil {
		return "", err
	}
	defer client.Close()
	return "registered with its service manager", client.AddService(name, echo)
}

func serveEcho(call *binder.Call) error {
	if call.Code != binder.FirstCallTransaction {
		return binder.UnknownTransaction
	}
	if err := call.Data.EnforceInterface(echoDescriptor); err != nil {
		return err
	}
	text, err := call.Data.ReadString16()
	call.Reply.WriteNoException()
	call.Reply.WriteString16(text)
	return err
}

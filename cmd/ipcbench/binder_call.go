package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/parcel"
	"ipcbench/ipc/binder/servicemanager"
)

func newBinderCall(d *binderDevice) *cobra.Command {
	await := false
	c := &cobra.Command{
		Use:   "call SERVICE CODE [i32 N | i64 N | s16 TEXT]...",
		Short: "Call a service and show its reply, as Android's service call does",
		Example: "  ipcbench binder call ipcbench.echo 1 s16 hello\n" +
			"  ipcbench binder call some.service 3 i32 1 s16 text",
		Args: cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			code, err := strconv.ParseUint(args[1], 0, 32)
			if err != nil {
				return fmt.Errorf("code of the call: %w", err)
			}
			if await {
				d.await(c.Context())
			}
			return d.with(func(ps *binder.ProcessState) error {
				return callService(c.OutOrStdout(), ps, args[0], uint32(code), args[2:])
			})
		},
	}
	c.Flags().BoolVar(&await, "await", false, "wait up to 5 seconds for a service manager first")
	return c
}

func callService(w io.Writer, ps *binder.ProcessState, name string, code uint32, args []string) error {
	sm, err := servicemanager.Connect(ps)
	if err != nil {
		return err
	}
	defer sm.Close()
	service, err := sm.CheckService(name)
	if err != nil {
		return err
	}
	defer service.Close()
	descriptor, err := service.InterfaceDescriptor()
	if err != nil {
		return err
	}
	var data, reply parcel.Parcel
	defer reply.Reset()
	data.WriteInterfaceToken(descriptor)
	if err := writeArguments(&data, args); err != nil {
		return err
	}
	if err := service.Transact(code, &data, &reply, 0); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "reply of %d bytes\n%s", reply.Len(), hex.Dump(reply.Bytes()))
	return err
}

// writeArguments writes pairs of a type and a value.
func writeArguments(p *parcel.Parcel, args []string) error {
	for ; len(args) >= 2; args = args[2:] {
		kind, value := args[0], args[1]
		switch kind {
		case "s16":
			p.WriteString16(value)
		case "i32":
			n, err := strconv.ParseInt(value, 0, 32)
			if err != nil {
				return fmt.Errorf("argument: %w", err)
			}
			p.WriteInt32(int32(n))
		case "i64":
			n, err := strconv.ParseInt(value, 0, 64)
			if err != nil {
				return fmt.Errorf("argument: %w", err)
			}
			p.WriteInt64(n)
		default:
			return fmt.Errorf("argument type %q (have i32, i64, s16)", kind)
		}
	}
	if len(args) > 0 {
		return fmt.Errorf("argument type %q has no value", args[0])
	}
	return nil
}

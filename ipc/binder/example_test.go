package binder_test

import (
	"context"
	"fmt"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/inproc"
	"ipcbench/ipc/binder/parcel"
	"ipcbench/ipc/binder/servicemanager"
)

// A server registers a service with the service manager, and a client looks it
// up and calls it. Here the three are virtual processes of one device; with
// shared.New or kernel.New in place of inproc they are processes of their own.
func Example() {
	context, err := inproc.New(inproc.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer context.Close()
	manager, err := startManager(context.As(inproc.Identity{PID: 1}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()
	server, err := startServer(context.As(inproc.Identity{PID: 2}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	fmt.Println(greet(context.As(inproc.Identity{PID: 3}), "Binder"))
	// Output: Hello, Binder! <nil>
}

func startManager(dev device.Device) (*binder.ProcessState, error) {
	ps, err := binder.Open(dev, binder.WithMaxThreads(0))
	if err != nil {
		return nil, err
	}
	if _, err := servicemanager.Become(ps); err != nil {
		return nil, err
	}
	return ps, ps.StartThreadPool()
}

const greeter = "org.example.IGreeter"

func startServer(dev device.Device) (*binder.ProcessState, error) {
	ps, err := binder.Open(dev)
	if err != nil {
		return nil, err
	}
	sm, err := servicemanager.Connect(ps)
	if err != nil {
		return nil, err
	}
	defer sm.Close()
	service := ps.NewBinder(greeter, binder.HandlerFunc(func(call *binder.Call) error {
		if err := call.Data.EnforceInterface(greeter); err != nil {
			return err
		}
		name, err := call.Data.ReadString16()
		call.Reply.WriteNoException()
		call.Reply.WriteString16("Hello, " + name + "!")
		return err
	}))
	if err := sm.AddService("greeter", service); err != nil {
		return nil, err
	}
	return ps, ps.StartThreadPool()
}

func greet(dev device.Device, name string) (string, error) {
	ps, err := binder.Open(dev)
	if err != nil {
		return "", err
	}
	defer ps.Close()
	sm, err := servicemanager.Connect(ps)
	if err != nil {
		return "", err
	}
	service, err := sm.GetService(context.Background(), "greeter")
	if err != nil {
		return "", err
	}
	var data, reply parcel.Parcel
	defer reply.Reset()
	data.WriteInterfaceToken(greeter)
	data.WriteString16(name)
	if err := service.Transact(binder.FirstCallTransaction, &data, &reply, 0); err != nil {
		return "", err
	}
	if err := reply.ReadException(); err != nil {
		return "", err
	}
	return reply.ReadString16()
}

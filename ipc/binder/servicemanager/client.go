package servicemanager

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/parcel"
)

// How long GetService asks again for a service that is not there, as libbinder
// does.
const (
	patience = 5 * time.Second
	interval = 100 * time.Millisecond
)

// Client speaks to the service manager of a device. Its methods may be called
// from any goroutine.
type Client struct {
	ps     *binder.ProcessState
	remote binder.IBinder
	codes  codes
}

// ClientOption changes a Client.
type ClientOption func(*Client)

// CallRelease sets whose transaction codes the Client uses; the default is
// Android14.
func CallRelease(r Release) ClientOption { return func(c *Client) { c.codes = r.codes() } }

// Connect finds the service manager of the process's device. Without one the
// error is a binder.DeadObject.
func Connect(ps *binder.ProcessState, opts ...ClientOption) (*Client, error) {
	remote, err := ps.ContextObject()
	if err != nil {
		return nil, fmt.Errorf("service manager: %w", err)
	}
	c := &Client{ps: ps, remote: remote, codes: Android14.codes()}
	for _, opt := range opts {
		opt(c)
	}
	return c, nil
}

// Close gives up the reference to the service manager.
func (c *Client) Close() error { return c.remote.Close() }

// AddService registers an object under a name of up to 127 letters, digits and
// _-./ in place of one that has the name. It stays registered until its process
// dies. What the manager objects to is a *parcel.Exception.
func (c *Client) AddService(name string, b binder.IBinder) error {
	var data, reply parcel.Parcel
	defer data.Reset()
	defer reply.Reset()
	data.WriteInterfaceToken(Descriptor)
	data.WriteString16(name)
	binder.WriteStrongBinder(&data, b)
	data.WriteBool(false)
	data.WriteInt32(PriorityDefault)
	if err := c.call(c.codes.add, &data, &reply); err != nil {
		return fmt.Errorf("add service %q: %w", name, err)
	}
	return nil
}

// CheckService looks a service up, which the caller is to Close. One that is not
// registered is a binder.NameNotFound.
func (c *Client) CheckService(name string) (binder.IBinder, error) {
	var data, reply parcel.Parcel
	defer reply.Reset()
	data.WriteInterfaceToken(Descriptor)
	data.WriteString16(name)
	err := c.call(c.codes.check, &data, &reply)
	var b binder.IBinder
	if err == nil {
		b, err = c.ps.ReadStrongBinder(&reply)
	}
	if errors.Is(err, parcel.ErrNull) {
		err = binder.NameNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("service %q: %w", name, err)
	}
	return b, nil
}

// GetService looks a service up and waits for it, at most 5 seconds or until
// ctx ends. The errors are those of CheckService; the last is returned.
func (c *Client) GetService(ctx context.Context, name string) (binder.IBinder, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		b, err := c.CheckService(name)
		if !errors.Is(err, binder.NameNotFound) {
			return b, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(interval):
		}
	}
}

// ListServices is the names of all services, in alphabetical order.
func (c *Client) ListServices() ([]string, error) {
	var data, reply parcel.Parcel
	defer reply.Reset()
	data.WriteInterfaceToken(Descriptor)
	data.WriteInt32(PriorityAll)
	err := c.call(c.codes.list, &data, &reply)
	var names []string
	if err == nil {
		names, err = reply.ReadString16Array()
	}
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	return names, nil
}

// call transacts and reads how the call went.
func (c *Client) call(code uint32, data, reply *parcel.Parcel) error {
	if err := c.remote.Transact(code, data, reply, 0); err != nil {
		return err
	}
	return reply.ReadException()
}

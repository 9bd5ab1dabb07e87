package ends

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"ipcbench/ipc"
)

// Connection is the kernel objects of one client's connection.
type Connection struct {
	// Server and Client are the ends, until they are handed over.
	Server, Client ipc.Handover
	// Remove, if set, removes what has no descriptor.
	Remove func() error
}

// Close closes the ends that were not handed over, and removes the rest.
func (c *Connection) Close() error {
	err := errors.Join(c.Server.Close(), c.Client.Close())
	c.Server, c.Client = ipc.Handover{}, ipc.Handover{}
	if c.Remove != nil {
		err = errors.Join(err, c.Remove())
	}
	return err
}

// AddLifeline puts the ends of a lifeline in front of the files of each end.
func (c *Connection) AddLifeline() error {
	server, client, err := ipc.NewLifeline()
	if err != nil {
		return err
	}
	c.Server.Files = slices.Insert(c.Server.Files, 0, server)
	c.Client.Files = slices.Insert(c.Client.Files, 0, client)
	return nil
}

// Link is a created channel, in the hands of its creator.
type Link struct {
	conns []Connection
	notes []string
}

// Make makes the connections of so many clients, or none.
func Make(clients int, one func() (Connection, error)) (*Link, error) {
	l := &Link{}
	for i := range clients {
		c, err := one()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("client %d: %w", i, err), l.Close())
		}
		l.conns = append(l.conns, c)
	}
	return l, nil
}

// Note adds what Notes returns.
func (l *Link) Note(format string, values ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, values...))
}

// Server implements ipc.Link.
func (l *Link) Server() (ipc.Handover, error) {
	var all ipc.Handover
	for i := range l.conns {
		end, err := handOver(&l.conns[i].Server)
		if err != nil {
			return ipc.Handover{}, err
		}
		all.Files = append(all.Files, end.Files...)
		all.Data = append(all.Data, end.Data...)
	}
	return all, nil
}

// Client implements ipc.Link.
func (l *Link) Client(i int) (ipc.Handover, error) {
	if i < 0 || i >= len(l.conns) {
		return ipc.Handover{}, fmt.Errorf("client %d of %d", i, len(l.conns))
	}
	return handOver(&l.conns[i].Client)
}

func handOver(end *ipc.Handover) (ipc.Handover, error) {
	if end.Files == nil {
		return ipc.Handover{}, fmt.Errorf("hand over an end: %w", os.ErrClosed)
	}
	h := *end
	end.Files = nil
	return h, nil
}

// Notes implements ipc.Link.
func (l *Link) Notes() []string { return l.notes }

// Close implements ipc.Link.
func (l *Link) Close() error {
	var errs []error
	for i := range l.conns {
		errs = append(errs, l.conns[i].Close())
	}
	l.conns = nil
	return errors.Join(errs...)
}

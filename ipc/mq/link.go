package mq

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"ipcbench/ipc"
)

// link is a created channel.
type link struct {
	transport *transport
	conns     []*connection
	notes     []string
}

// connection is the kernel objects of one client. The files of an end that was
// handed over are nil.
type connection struct {
	identity
	server, client []*os.File
	queues         []queue // that have no descriptor
	capacity       int     // of those, in bytes
}

// Create implements ipc.Transport.
func (t *transport) Create(cfg ipc.Config) (ipc.Link, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.info.Name, err)
	}
	conns, notes, err := t.create(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.info.Name, t.explain(err, cfg))
	}
	return &link{t, conns, notes}, nil
}

// newConnections makes the connections of all clients, or none.
func newConnections(clients int, one func() (*connection, error)) (conns []*connection, err error) {
	for range clients {
		c, err := one()
		if err != nil {
			closeAll(conns)
			return nil, err
		}
		conns = append(conns, c)
	}
	return conns, nil
}

func closeAll(conns []*connection) error {
	var errs []error
	for _, c := range conns {
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}

// addLifeline puts the ends of a lifeline in front of the files of each end.
func (c *connection) addLifeline() error {
	s, cl, err := ipc.NewLifeline()
	if err != nil {
		return err
	}
	c.server = append([]*os.File{s}, c.server...)
	c.client = append([]*os.File{cl}, c.client...)
	return nil
}

func (c *connection) close() error {
	err := errors.Join(ipc.Handover{Files: c.server}.Close(), ipc.Handover{Files: c.client}.Close())
	for _, q := range c.queues {
		err = errors.Join(err, q.close())
	}
	return err
}

func (c *connection) data(b []byte) []byte {
	b, _ = binary.Append(b, binary.LittleEndian, c.identity) // of fixed size, so it cannot fail
	return b
}

// Server implements ipc.Link.
func (l *link) Server() (ipc.Handover, error) {
	var h ipc.Handover
	for _, c := range l.conns {
		if c.server == nil {
			return ipc.Handover{}, fmt.Errorf("%s: the server was handed over already", l.transport.info.Name)
		}
		h.Files = append(h.Files, c.server...)
		h.Data = c.data(h.Data)
		c.server = nil
	}
	return h, nil
}

// Client implements ipc.Link.
func (l *link) Client(i int) (ipc.Handover, error) {
	c := l.conns[i]
	if c.client == nil {
		return ipc.Handover{}, fmt.Errorf("%s: client %d was handed over already", l.transport.info.Name, i)
	}
	h := ipc.Handover{Files: c.client, Data: c.data(nil)}
	c.client = nil
	return h, nil
}

// Notes implements ipc.Link.
func (l *link) Notes() []string { return l.notes }

// Close implements ipc.Link.
func (l *link) Close() error {
	err := closeAll(l.conns)
	l.conns = nil
	return err
}

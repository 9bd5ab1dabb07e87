package shm

import (
	"errors"
	"fmt"
	"os"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// link is a created channel. The creator stays attached to the segments until
// Close, which keeps them alive until both ends have attached.
type link struct {
	transport *transport
	layout    layout
	conns     []*connection
}

// connection is the kernel objects of one client; an end that was handed over
// is nil.
type connection struct {
	segment        segment
	semaphores     int // identifier, noSemaphores if there are none
	server, client *os.File
}

// Create implements ipc.Transport.
func (t *transport) Create(cfg ipc.Config) (ipc.Link, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.info.Name, err)
	}
	l := &link{transport: t, layout: t.layout(cfg)}
	for range cfg.Clients {
		c, err := t.newConnection(l.layout)
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("%s: %w", t.info.Name, t.explain(err, cfg))
		}
		l.conns = append(l.conns, c)
	}
	return l, nil
}

func (t *transport) newConnection(l layout) (*connection, error) {
	seg, err := newSegment(l.bytes())
	if err != nil {
		return nil, err
	}
	c := &connection{segment: seg, semaphores: noSemaphores}
	if t.semaphores {
		if c.semaphores, err = sys.SemGet(2 * semaphoresPerLane); err != nil {
			c.semaphores = noSemaphores
			c.close()
			return nil, fmt.Errorf("semget: %w", err)
		}
	}
	if c.server, c.client, err = ipc.NewLifeline(); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

const noSemaphores = -1

func (c *connection) identity() identity { return identity{c.segment.id, c.semaphores} }

func (c *connection) close() error {
	err := c.segment.detach()
	if c.semaphores != noSemaphores {
		sys.SemRemove(c.semaphores) // unless an end was faster
	}
	for _, f := range []*os.File{c.server, c.client} {
		if f != nil {
			f.Close()
		}
	}
	return err
}

// Server implements ipc.Link.
func (l *link) Server() (ipc.Handover, error) {
	var h ipc.Handover
	for _, c := range l.conns {
		if c.server == nil {
			return ipc.Handover{}, fmt.Errorf("%s: the server was handed over already", l.transport.info.Name)
		}
		h.Files = append(h.Files, c.server)
		h.Data = c.identity().append(h.Data)
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
	h := ipc.Handover{Files: []*os.File{c.client}, Data: c.identity().append(nil)}
	c.client = nil
	return h, nil
}

// Notes implements ipc.Link.
func (l *link) Notes() []string {
	notes := []string{
		fmt.Sprintf("a segment of %d KiB a client", l.layout.bytes()>>10),
	}
	if l.layout.shapes[0].stride > 0 {
		notes = append(notes, fmt.Sprintf("requests: %s; replies: %s", l.layout.shapes[0], l.layout.shapes[1]))
	}
	return notes
}

func (s shape) String() string { return fmt.Sprintf("%d slots of %d bytes", s.slots, s.stride) }

// Close implements ipc.Link.
func (l *link) Close() error {
	var errs []error
	for _, c := range l.conns {
		errs = append(errs, c.close())
	}
	l.conns = nil
	return errors.Join(errs...)
}

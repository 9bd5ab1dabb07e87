package shm

import (
	"errors"
	"fmt"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/internal/ends"
)

// Create implements ipc.Transport. The creator stays attached to the segments until
// it closes the link, which keeps them alive until both ends have attached.
func (t *transport) Create(cfg ipc.Config) (ipc.Link, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.info.Name, err)
	}
	layout := t.layout(cfg)
	l, err := ends.Make(cfg.Clients, func() (ends.Connection, error) { return t.newConnection(layout) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.info.Name, t.explain(err, cfg))
	}
	l.Note("a segment of %d KiB a client", layout.bytes()>>10)
	if layout.shapes[0].stride > 0 {
		l.Note("requests: %s; replies: %s", layout.shapes[0], layout.shapes[1])
	}
	return l, nil
}

func (s shape) String() string { return fmt.Sprintf("%d slots of %d bytes", s.slots, s.stride) }

const noSemaphores = -1

func (t *transport) newConnection(l layout) (c ends.Connection, err error) {
	seg, err := newSegment(l.bytes())
	if err != nil {
		return c, err
	}
	id := identity{seg.id, noSemaphores}
	c.Remove = func() error {
		if id.semaphores != noSemaphores {
			sys.SemRemove(id.semaphores) // unless an end was faster
		}
		return seg.detach()
	}
	if t.semaphores {
		if id.semaphores, err = sys.SemGet(2 * semaphoresPerLane); err != nil {
			id.semaphores = noSemaphores
			return c, errors.Join(fmt.Errorf("semget: %w", err), c.Close())
		}
	}
	if err := c.AddLifeline(); err != nil {
		return c, errors.Join(err, c.Close())
	}
	c.Server.Data, c.Client.Data = id.bytes(), id.bytes()
	return c, nil
}

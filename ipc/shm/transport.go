package shm

import (
	"encoding/binary"
	"fmt"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// Transports returns the transports of this package.
func Transports() []ipc.Transport {
	return []ipc.Transport{
		&transport{
			info: ipc.Info{
				Name:    "shm",
				Summary: "SysV segment, one copy by the sender; futex",
				Waits:   ipc.Waits,
			},
			layout: ringLayout,
			open:   openCopying,
		},
		&transport{
			info: ipc.Info{
				Name:    "shm-sem",
				Summary: "SysV segment, one copy by the sender; SysV semaphores",
				Waits:   ipc.Waits,
			},
			layout:     ringLayout,
			semaphores: true,
			open:       openCopying,
		},
		&transport{
			info: ipc.Info{
				Name:    "shm-inplace",
				Summary: "SysV segment, produced in it, no copy; futex",
				Waits:   ipc.Waits,
				InPlace: true,
			},
			layout: lendingLayout,
			open:   func(c *channel) (ipc.Conn, error) { return &lending{channel: c}, nil },
		},
		&transport{
			info: ipc.Info{
				Name:    "cma",
				Summary: "process_vm_readv by the receiver, one copy; futex",
				Waits:   ipc.Waits,
			},
			layout: readingLayout,
			open:   openReading,
			check:  checkReading,
		},
	}
}

// transport is a way to carry payload, over connections that each have a
// segment of their own.
type transport struct {
	info ipc.Info
	// layout cuts the segment of a connection.
	layout func(ipc.Config) layout
	// open makes an end that carries payload this way.
	open func(*channel) (ipc.Conn, error)
	// semaphores: the ends wait on those, not on futexes.
	semaphores bool
	// check probes what else is needed, if set.
	check func() error
}

// ringLayout has room for the payload of every slot.
func ringLayout(cfg ipc.Config) layout {
	shapes := [2]shape{shapeFor(cfg.MaxRequest), shapeFor(cfg.MaxReply)}
	return newLayout(shapes, [2]int{shapes[0].bytes(), shapes[1].bytes()})
}

func (t *transport) Info() ipc.Info { return t.info }

// identity is what an end is told of a connection, beside its lifeline.
type identity struct{ segment, semaphores int }

const identitySize = 8

func (id identity) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(id.segment))
	return binary.LittleEndian.AppendUint32(b, uint32(id.semaphores))
}

func parseIdentity(b []byte) identity {
	return identity{int(binary.LittleEndian.Uint32(b)), int(binary.LittleEndian.Uint32(b[4:]))}
}

// Listen implements ipc.Transport.
func (t *transport) Listen(cfg ipc.Config, h ipc.Handover) (ipc.Server, error) {
	if err := t.checkHandover(h, cfg.Clients); err != nil {
		h.Close()
		return nil, err
	}
	var conns []ipc.Conn
	for i := range h.Files {
		c, err := t.take(cfg, h, i, copies.Reply)
		if err != nil {
			for _, c := range conns {
				c.Close()
			}
			t.abandon(h, i)
			return nil, err
		}
		conns = append(conns, c)
	}
	return ipc.NewServer(conns, true), nil
}

// Dial implements ipc.Transport.
func (t *transport) Dial(cfg ipc.Config, h ipc.Handover) (ipc.Client, error) {
	if err := t.checkHandover(h, 1); err != nil {
		h.Close()
		return nil, err
	}
	c, err := t.take(cfg, h, 0, copies.Request)
	if err != nil {
		t.abandon(h, 0)
		return nil, err
	}
	return ipc.NewClient(c), nil
}

// abandon lets go of what was handed over, from connection i on: nobody else may
// be left to do so.
func (t *transport) abandon(h ipc.Handover, i int) {
	ipc.Handover{Files: h.Files[i:]}.Close()
	for ; t.semaphores && i*identitySize < len(h.Data); i++ {
		sys.SemRemove(parseIdentity(h.Data[i*identitySize:]).semaphores)
	}
}

func (t *transport) checkHandover(h ipc.Handover, clients int) error {
	if len(h.Files) != clients || len(h.Data) != clients*identitySize {
		return fmt.Errorf("%s: a handover of %d files and %d bytes for %d connections",
			t.info.Name, len(h.Files), len(h.Data), clients)
	}
	return nil
}

// take makes the end of connection i of a handover; the lifeline is its own if it
// succeeds.
func (t *transport) take(cfg ipc.Config, h ipc.Handover, i int, out copies.Direction) (ipc.Conn, error) {
	id := parseIdentity(h.Data[i*identitySize:])
	l := t.layout(cfg)
	seg, err := attach(id.segment, l.bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.info.Name, err)
	}
	c := openChannel(seg, l, cfg, out)
	if t.semaphores {
		c.useSemaphores(id.semaphores, int(out))
	} else {
		c.useFutexes()
	}
	conn, err := t.open(c)
	if err != nil {
		seg.detach()
		return nil, fmt.Errorf("%s: %w", t.info.Name, err)
	}
	c.watch(h.Files[i])
	return conn, nil
}

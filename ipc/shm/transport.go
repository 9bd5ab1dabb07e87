package shm

import (
	"encoding/binary"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
	"ipcbench/ipc/internal/ends"
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

func (id identity) bytes() []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(id.segment))
	return binary.LittleEndian.AppendUint32(b, uint32(id.semaphores))
}

func parseIdentity(b []byte) identity {
	return identity{int(binary.LittleEndian.Uint32(b)), int(binary.LittleEndian.Uint32(b[4:]))}
}

// Listen implements ipc.Transport.
func (t *transport) Listen(cfg ipc.Config, h ipc.Handover) (ipc.Server, error) {
	return t.ends().Listen(cfg, h)
}

// Dial implements ipc.Transport.
func (t *transport) Dial(cfg ipc.Config, h ipc.Handover) (ipc.Client, error) {
	return t.ends().Dial(cfg, h)
}

func (t *transport) ends() ends.Ends {
	return ends.Ends{Name: t.info.Name, Files: 1, Data: identitySize, Take: t.take, Abandon: t.abandon}
}

func (t *transport) abandon(end ipc.Handover) {
	if t.semaphores {
		sys.SemRemove(parseIdentity(end.Data).semaphores)
	}
}

func (t *transport) take(cfg ipc.Config, end ipc.Handover, out copies.Direction) (ipc.Conn, error) {
	c, err := t.attach(cfg, end, out)
	if err != nil {
		return nil, err
	}
	conn, err := t.open(c)
	if err != nil {
		c.segment.detach()
		return nil, err
	}
	c.watch(end.Files[0])
	return conn, nil
}

// attach maps the segment of a connection and makes a channel of it, whose end is
// not watched yet.
func (t *transport) attach(cfg ipc.Config, end ipc.Handover, out copies.Direction) (*channel, error) {
	id, l := parseIdentity(end.Data), t.layout(cfg)
	seg, err := attach(id.segment, l.bytes())
	if err != nil {
		return nil, err
	}
	c := openChannel(seg, l, cfg, out)
	if t.semaphores {
		c.useSemaphores(id.semaphores, int(out))
	} else {
		c.useFutexes()
	}
	return c, nil
}

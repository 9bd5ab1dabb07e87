package shm

import (
	"encoding/binary"
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
	"ipcbench/ipc/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m, Transports()...) }

func TestConformance(t *testing.T) {
	for name, s := range map[string]transporttest.Subject{
		"shm":         {Copies: 1, Syscalls: 4, SleepsMayLack: true},
		"shm-sem":     {Copies: 1, Syscalls: 4},
		"shm-inplace": {Copies: 0, Syscalls: 4, SleepsMayLack: true},
		"cma":         {Copies: 1, Syscalls: 6, SleepsMayLack: true},
	} {
		t.Run(name, func(t *testing.T) {
			tr := named(name)
			s.Transport, s.Inject = tr, tr.inject
			transporttest.Run(t, s)
		})
	}
}

func named(name string) *transport {
	for _, tr := range Transports() {
		if tr.Info().Name == name {
			return tr.(*transport)
		}
	}
	panic(name)
}

// inject publishes a message, unless there is less of it than its header says: a
// sender that dies in the middle of one has not published it.
func (t *transport) inject(cfg ipc.Config, h ipc.Handover, d copies.Direction, bytes []byte) error {
	c, err := t.attack(cfg, h, d)
	if err != nil {
		return err
	}
	defer c.segment.detach()
	header := ipc.Header{
		Length:   binary.LittleEndian.Uint32(bytes),
		Flags:    ipc.Flags(binary.LittleEndian.Uint32(bytes[4:])),
		Sequence: binary.LittleEndian.Uint64(bytes[8:]),
	}
	slot, err := c.out.reserve()
	if length := int(header.Length); err != nil || length <= c.out.limit && length > len(bytes)-ipc.HeaderSize {
		return err
	}
	c.out.publish(slot, header, 0, 0)
	return nil
}

// attack takes up an end to do evil with.
func (t *transport) attack(cfg ipc.Config, h ipc.Handover, d copies.Direction) (*channel, error) {
	id, l := parseIdentity(h.Data), t.layout(cfg)
	seg, err := attach(id.segment, l.bytes())
	if err != nil {
		return nil, err
	}
	c := openChannel(seg, l, cfg, d)
	if t.semaphores {
		c.useSemaphores(id.semaphores, int(d))
	} else {
		c.useFutexes()
	}
	return c, nil
}

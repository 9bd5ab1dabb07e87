package shm

import (
	"encoding/binary"
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
	"ipcbench/ipc/transporttest"
)

var subjects = []transporttest.Subject{
	newSubject("shm", transporttest.Subject{Copies: 1, Syscalls: 4, SleepsMayLack: true}),
	newSubject("shm-sem", transporttest.Subject{Copies: 1, Syscalls: 4}),
	newSubject("shm-inplace", transporttest.Subject{Copies: 0, Syscalls: 4, SleepsMayLack: true}),
	newSubject("cma", transporttest.Subject{Copies: 1, Syscalls: 6, SleepsMayLack: true}),
}

func newSubject(name string, s transporttest.Subject) transporttest.Subject {
	tr := named(name)
	s.Transport, s.Inject = tr, tr.inject
	return s
}

func TestMain(m *testing.M) { transporttest.Main(m, subjects...) }

func TestConformance(t *testing.T) { transporttest.Run(t, subjects...) }

func BenchmarkCall(b *testing.B) { transporttest.Benchmark(b, subjects...) }

func named(name string) *transport {
	for _, tr := range Transports() {
		if tr.Info().Name == name {
			return tr.(*transport)
		}
	}
	panic(name)
}

// inject publishes a message, unless there is less of it than its header says: a
// sender that dies in the middle of one has filled a part of the slot, where there
// are slots to fill, and not published it.
func (t *transport) inject(cfg ipc.Config, h ipc.Handover, d copies.Direction, bytes []byte) error {
	c, err := t.attach(cfg, h, d)
	if err != nil {
		return err
	}
	defer c.segment.detach()
	header := ipc.Header{
		Length:   binary.LittleEndian.Uint32(bytes),
		Flags:    ipc.Flags(binary.LittleEndian.Uint32(bytes[4:])),
		Sequence: binary.LittleEndian.Uint64(bytes[8:]),
	}
	payload := bytes[ipc.HeaderSize:]
	slot, err := c.out.reserve()
	if err != nil {
		return err
	}
	if c.out.stride > 0 {
		copy(c.out.slot(slot), payload)
	}
	if length := int(header.Length); length > len(payload) && length <= c.out.limit {
		return nil
	}
	c.out.publish(slot, header, 0, 0)
	return nil
}

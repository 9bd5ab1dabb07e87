package floor

import (
	"encoding/binary"
	"runtime"

	"ipcbench/internal/event"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// Broker is the broker floor: client and server as in the composite floor, but
// every wake-up goes through a third process, as it must where a driver lives
// in a process of its own. The payload is still copied once: the client's and
// the server's paths share their data.
type Broker struct{}

// Info describes the floor.
func (Broker) Info() ipc.Info {
	return ipc.Info{Name: "broker", Summary: "the composite floor, woken through a third process", Waits: ipc.Waits}
}

// Check accepts one client.
func (Broker) Check(c ipc.Config) error { return oneClient(c) }

// The memory is the composite's, then one page for each relayed path: the
// receiver's event and length.
func brokerSize(c ipc.Config) int { return compositeSize(c) + 2*pageSize }

// brokerPaths are the four paths: from the client, to the server, from the
// server, to the client.
func brokerPaths(c ipc.Config, mem []byte) (up, upRelayed, down, downRelayed path) {
	up = pathAt(mem, c.MaxRequest)
	down = pathAt(mem[pathSize(c.MaxRequest):], c.MaxReply)
	upRelayed = relayed(up, mem[compositeSize(c):])
	downRelayed = relayed(down, mem[compositeSize(c)+pageSize:])
	return up, upRelayed, down, downRelayed
}

func relayed(p path, mem []byte) path {
	return path{event: event.At(mem), length: mem[lengthAt : lengthAt+4], data: p.data}
}

// Create makes the shared memory.
func (Broker) Create(c ipc.Config) (ipc.Link, error) { return createLink(brokerSize(c)) }

// Dial takes the client's end.
func (Broker) Dial(c ipc.Config, h ipc.Handover) (ipc.Client, error) {
	s, err := openShared(c, h, brokerSize(c), copies.Request)
	if err != nil {
		return nil, err
	}
	up, _, _, downRelayed := brokerPaths(c, s.mem)
	return newClient(s, up, downRelayed), nil
}

// Listen takes the server's end.
func (Broker) Listen(c ipc.Config, h ipc.Handover) (ipc.Server, error) {
	s, err := openShared(c, h, brokerSize(c), copies.Reply)
	if err != nil {
		return nil, err
	}
	_, upRelayed, down, _ := brokerPaths(c, s.mem)
	return newServer(s, upRelayed, down), nil
}

// Broker takes the middle.
func (Broker) Broker(c ipc.Config, h ipc.Handover) (ipc.Broker, error) {
	s, err := openShared(c, h, brokerSize(c), copies.Request)
	if err != nil {
		return nil, err
	}
	b := &relay{shared: s}
	b.up, b.upRelayed, b.down, b.downRelayed = brokerPaths(c, s.mem)
	s.waits = []event.Event{b.up.event, b.down.event}
	return b, nil
}

type relay struct {
	*shared
	up, upRelayed, down, downRelayed path
}

// Run relays until the client has stopped.
func (b *relay) Run(running func()) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		running()
		done <- b.run()
	}()
	return <-done
}

func (b *relay) run() error {
	for {
		stop, err := b.pass(&b.up, &b.upRelayed)
		if err != nil {
			return err
		}
		if _, err := b.pass(&b.down, &b.downRelayed); err != nil || stop {
			return err
		}
	}
}

// pass hands one message on: its length and the wake-up; the data is in place.
func (b *relay) pass(from, to *path) (stop bool, err error) {
	payload, ok, err := from.receive(b.wait, &b.closed)
	if err != nil {
		return false, err
	}
	if !ok {
		to.sendStop()
		return true, nil
	}
	binary.LittleEndian.PutUint32(to.length, uint32(len(payload)))
	to.event.Post()
	return false, nil
}

package driver

import (
	"encoding/binary"
	"os"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"ipcbench/ipc/binder/abi"
)

// long says whether the long forms of tests are asked for.
func long() bool { return os.Getenv("IPCBENCH_LONG") == "1" }

// FuzzCommands feeds arbitrary bytes to the driver as commands of three
// processes in turn: it must neither panic nor hang nor break an invariant.
func FuzzCommands(f *testing.F) {
	var buf [512]byte
	e := abi.NewEncoder[abi.Command](buf[:])
	e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{DataSize: 32, OffsetsSize: 8, Buffer: atPayload, Offsets: atPayload + 64})
	e.Uint64(abi.BC_FREE_BUFFER, regionBase)
	e.Transaction(abi.BC_REPLY, &abi.TransactionData{DataSize: 8, Buffer: atPayload})
	e.Uint32(abi.BC_ACQUIRE, 0)
	e.HandleCookie(abi.BC_REQUEST_DEATH_NOTIFICATION, abi.NewHandleCookie(0, 1))
	f.Add(append([]byte(nil), e.Bytes()...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		w := newWorld(t, 3)
		w.peers[0].claim()
		for _, p := range w.peers {
			victimNode.Encode(p.user[atPayload-userBase+8:])
			orderPut(p.user[atPayload-userBase+64:], 8)
		}
		for i := 0; len(stream) > 0 && i < 64; i++ {
			n := min(len(stream), 16+int(stream[0])%112)
			p := w.peers[i%3]
			_ = p.call(stream[:n], 256)
			stream = stream[n:]
			w.check("after a stream")
		}
		w.bury(w.peers[1], w.peers[0])
		w.check("after a death")
		for _, p := range []*peer{w.peers[2], w.peers[0]} {
			p.p.Close()
		}
		if err := leaks(w.peers[0].d); err != nil {
			t.Fatal(err)
		}
	})
}

// TestModel drives random calls between processes against a sequential model:
// who waits for whom, and with which number. Every call ends with its own
// number or, if the process that had it died, with BR_DEAD_REPLY.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, 5)
		manager, clients := w.peers[0], w.peers[1:]
		manager.claim()
		m := model{rt: rt, manager: manager, waiting: map[*peer]uint64{}}
		for range rapid.IntRange(1, 60).Draw(rt, "operations") {
			c := clients[rapid.IntRange(0, len(clients)-1).Draw(rt, "client")]
			if w.dead[c.pid] {
				continue
			}
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				w.bury(c, manager)
				delete(m.waiting, c)
			case 1, 2, 3, 4:
				m.call(c)
			case 5, 6, 7:
				m.serve()
			default:
				m.collect(c)
			}
			w.check("after an operation")
		}
		for len(m.queue) > 0 || m.serving != nil {
			m.serve()
		}
		for c := range m.waiting {
			m.collect(c)
		}
	})
}

// model is what a sequential observer knows: the calls that wait, in the order
// in which the manager will take them.
type model struct {
	rt      *rapid.T
	manager *peer
	last    uint64
	waiting map[*peer]uint64 // the number of the call that a client waits for
	queue   []*peer
	serving *peer
	done    map[*peer]bool
}

func (m *model) call(c *peer) {
	if _, busy := m.waiting[c]; busy {
		return
	}
	m.last++
	binary.NativeEndian.PutUint64(c.user[atPayload-userBase:], m.last)
	if err := c.send(abi.BC_TRANSACTION, 0, 0); err != nil {
		m.rt.Fatal(err)
	}
	m.waiting[c] = m.last
	m.queue = append(m.queue, c)
}

// serve has the manager take the oldest call, if it serves none, and else
// answer the one it serves. Calls of the dead may or may not come.
func (m *model) serve() {
	p := m.manager
	if m.serving == nil {
		if len(m.queue) == 0 {
			return
		}
		codes := p.read()
		if len(codes) == 0 || codes[len(codes)-1] != abi.BR_TRANSACTION {
			m.rt.Fatalf("%d calls wait, the manager reads %v", len(m.queue), codes)
		}
		m.serving, m.queue = m.queue[0], m.queue[1:]
		got := binary.NativeEndian.Uint64(p.w.wins[p.p.ID()][p.tr.Buffer-regionBase:])
		if want, alive := m.waiting[m.serving]; alive && got != want {
			m.rt.Fatalf("the manager got call %d, want %d", got, want)
		}
		binary.NativeEndian.PutUint64(p.user[atPayload-userBase:], got)
		return
	}
	_ = p.free()
	if err := p.send(abi.BC_REPLY, 0, 0); err != nil {
		m.rt.Fatal(err)
	}
	if m.done == nil {
		m.done = map[*peer]bool{}
	}
	m.done[m.serving] = true
	m.serving = nil
	if err := p.call(nil, 80); err != nil && err != syscall.EAGAIN { // the completion
		m.rt.Fatal(err)
	}
}

// collect reads a client's reply, if the model says that it is there.
func (m *model) collect(c *peer) {
	want, waits := m.waiting[c]
	if !waits {
		return
	}
	codes := c.read()
	if !m.done[c] {
		if len(codes) != 0 {
			m.rt.Fatalf("no reply was sent, the client reads %v", codes)
		}
		return
	}
	if len(codes) != 2 || codes[0] != abi.BR_TRANSACTION_COMPLETE || codes[1] != abi.BR_REPLY {
		m.rt.Fatalf("the client reads %v", codes)
	}
	got := binary.NativeEndian.Uint64(c.w.wins[c.p.ID()][c.tr.Buffer-regionBase:])
	if got != want {
		m.rt.Fatalf("reply %d to call %d", got, want)
	}
	_ = c.free()
	delete(m.waiting, c)
	delete(m.done, c)
}

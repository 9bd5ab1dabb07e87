package driver

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// world is a context with processes that each have an attachment, one
// binder_proc, one thread and memory of their own, all driven by one test.
type world struct {
	t     testing.TB
	mem   []byte
	dead  map[int32]bool
	files map[FileKey]bool
	peers []*peer
	wins  map[ProcID][]byte
	sleep sleepers
}

// peer is one process of a world.
type peer struct {
	w     *world
	d     *Driver
	p     *Proc
	pid   int32
	step  func(arena.Step)
	user  userMemory
	tr    abi.TransactionData // the last that was read
	codes []abi.Return        // of the last read
	wrote int                 // bytes of commands that the last call consumed
	co    coroutine
}

// userMemory is a process's memory: addresses from userBase on.
type userMemory []byte

const (
	userBase   = 0x10000
	regionBase = 0x7000_0000
	regionSize = 256 << 10

	atBWR      = userBase
	atCommands = userBase + 0x100
	atReturns  = userBase + 0x1000
	atPayload  = userBase + 0x2000
	userSize   = 0x8000
)

func (m userMemory) at(addr uint64, n int) ([]byte, error) {
	if addr < userBase || addr > userBase+uint64(len(m)) || userBase+uint64(len(m))-addr < uint64(n) {
		return nil, syscall.EFAULT
	}
	return m[addr-userBase:][:n], nil
}

func (m userMemory) CopyFromUser(dst []byte, addr uint64) error {
	b, err := m.at(addr, len(dst))
	copy(dst, b)
	return err
}

func (m userMemory) CopyToUser(addr uint64, src []byte) error {
	b, err := m.at(addr, len(src))
	copy(b, src)
	return err
}

// testHost is a process's view of the world. Only coroutines ever sleep in it: the
// test does one thing after the other.
type testHost struct {
	w *world
	p *peer
}

func (h testHost) Commit(int64) error                  { return nil }
func (h testHost) Dead(s arena.Slot) (bool, int)       { return h.w.dead[s.PID], 0 }
func (h testHost) Forget(id ProcID)                    { delete(h.w.wins, id) }
func (h testHost) Populate(ProcID, int64, int64) error { return nil }
func (h testHost) Punch(ProcID, int64, int64)          {}

func (h testHost) Wait(word *atomic.Uint32, value uint32, timeout time.Duration) bool {
	if timeout == arena.Forever && h.p.co.yield != nil && word.Load() == value {
		h.p.sleepOn(word)
	}
	return false
}

func (h testHost) Wake(word *atomic.Uint32, _ int) int {
	h.w.wake(word)
	return 1
}

func (h testHost) Window(id ProcID, length int) ([]byte, error) {
	if h.w.wins[id] == nil {
		h.w.wins[id] = make([]byte, length)
	}
	return h.w.wins[id], nil
}

// testTask is a peer as its threads have it.
type testTask struct {
	userMemory
	w *world
}

func (h testTask) CloseFile(int32) {}

func (h testTask) SendFile(_ Owner, key FileKey, fd int32) error {
	if fd < 0 {
		return syscall.EBADF
	}
	h.w.files[key] = true
	return nil
}

func (h testTask) TakeFile(key FileKey) (int32, error) {
	if !h.w.files[key] {
		return 0, syscall.EBADF
	}
	delete(h.w.files, key)
	return 100, nil
}

func (h testHost) DropFile(_ Owner, key FileKey) { delete(h.w.files, key) }

func newWorld(t testing.TB, peers int) *world {
	t.Helper()
	w := &world{t: t, mem: make([]byte, 1<<20), dead: map[int32]bool{}, files: map[FileKey]bool{}, wins: map[ProcID][]byte{},
		sleep: sleepers{on: map[*atomic.Uint32]*peer{}}}
	for range peers {
		w.add()
	}
	return w
}

func (w *world) add() *peer {
	w.t.Helper()
	p := &peer{w: w, pid: int32(100 + len(w.peers)), user: make(userMemory, userSize)}
	step := func(s arena.Step) {
		if p.step != nil {
			p.step(s)
		}
	}
	var err error
	self := arena.Slot{PID: p.pid, User: uint64(p.pid)}
	if len(w.peers) == 0 {
		p.d, err = Create(w.mem, self, testHost{w, p}, step)
	} else {
		p.d, err = Join(w.mem, self, testHost{w, p}, step)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if p.p, err = p.d.Open(Identity{PID: p.pid, EUID: 1000}, func(int32) Task { return testTask{p.user, w} }); err != nil {
		w.t.Fatal(err)
	}
	if err := p.p.Map(regionSize, regionBase); err != nil {
		w.t.Fatal(err)
	}
	p.p.SetNonblock(true)
	w.peers = append(w.peers, p)
	_ = p.call(nil, 256) // the first read of a fresh thread only returns
	return p
}

// call writes commands and reads at most readSize bytes of returns.
func (p *peer) call(commands []byte, readSize int) error {
	copy(p.user[atCommands-userBase:], commands)
	bwr := abi.WriteRead{WriteSize: uint64(len(commands)), WriteBuffer: atCommands, ReadSize: uint64(readSize), ReadBuffer: atReturns}
	bwr.Encode(p.user)
	err := p.p.Ioctl(p.pid, abi.BINDER_WRITE_READ, atBWR)
	bwr.Decode(p.user)
	p.wrote = int(bwr.WriteConsumed)
	p.codes = p.codes[:0]
	d := abi.NewDecoder[abi.Return](p.user[atReturns-userBase:][:bwr.ReadConsumed])
	for {
		code, payload, e := d.Next()
		if e != nil {
			return err
		}
		if code == abi.BR_TRANSACTION || code == abi.BR_REPLY {
			p.tr.Decode(payload)
		}
		if code != abi.BR_NOOP {
			p.codes = append(p.codes, code)
		}
	}
}

// thread is the peer's, which has made a call.
func (p *peer) thread() *Thread {
	th, _ := p.p.threads.Load(p.pid)
	return th.(*Thread)
}

// do encodes commands and writes them, without reading.
func (p *peer) do(encode func(*abi.Encoder[abi.Command])) error {
	var buf [1024]byte
	e := abi.NewEncoder[abi.Command](buf[:])
	encode(&e)
	return p.call(e.Bytes(), 0)
}

// read reads once; nothing to read is no error.
func (p *peer) read() []abi.Return {
	if err := p.call(nil, 512); err != nil && err != syscall.EAGAIN {
		p.w.t.Errorf("peer %d reads: %v", p.pid, err)
	}
	return p.codes
}

// take reads until a transaction or a reply comes, or there is nothing more.
func (p *peer) take() {
	for {
		codes := p.read()
		if len(codes) == 0 || codes[len(codes)-1] == abi.BR_TRANSACTION || codes[len(codes)-1] == abi.BR_REPLY {
			return
		}
	}
}

// send calls or replies with a payload that may hold objects, which are
// encoded one behind the other behind 8 bytes.
func (p *peer) send(cmd abi.Command, handle uint32, flags abi.TransactionFlags, objects ...abi.FlatBinderObject) error {
	payload := p.user[atPayload-userBase:]
	n := 8
	var offsets [64]byte
	for i, o := range objects {
		o.Encode(payload[n:])
		orderPut(offsets[i*8:], uint64(n))
		n += abi.SizeofFlatBinderObject
	}
	at := (n + 7) &^ 7
	copy(payload[at:], offsets[:len(objects)*8])
	return p.do(func(e *abi.Encoder[abi.Command]) {
		e.Transaction(cmd, &abi.TransactionData{Target: uint64(handle), Flags: flags, DataSize: uint64(n),
			OffsetsSize: uint64(len(objects) * 8), Buffer: atPayload, Offsets: uint64(atPayload + at)})
	})
}

func orderPut(b []byte, v uint64) {
	for i := range 8 {
		b[i] = byte(v >> (8 * i))
	}
}

// object is the object at an index of the last transaction that was read.
func (p *peer) object(i int) (o abi.FlatBinderObject) {
	off := p.tr.Buffer - regionBase + 8 + uint64(i*abi.SizeofFlatBinderObject)
	o.Decode(p.w.wins[p.p.ID()][off:])
	return o
}

func (p *peer) free() error {
	return p.do(func(e *abi.Encoder[abi.Command]) { e.Uint64(abi.BC_FREE_BUFFER, p.tr.Buffer) })
}

func (p *peer) claim() {
	p.w.t.Helper()
	if err := p.p.Ioctl(p.pid, abi.BINDER_SET_CONTEXT_MGR, 0); err != nil {
		p.w.t.Fatal(err)
	}
}

// drain reads everything there is, answers calls and frees buffers, as a
// process would that tidies up.
func (p *peer) drain() {
	for range 100 {
		codes := p.read()
		if len(codes) == 0 {
			return
		}
		switch codes[len(codes)-1] {
		case abi.BR_TRANSACTION:
			call := p.tr
			_ = p.free()
			if call.Flags&abi.TF_ONE_WAY == 0 {
				_ = p.send(abi.BC_REPLY, 0, 0)
			}
		case abi.BR_REPLY:
			_ = p.free()
		}
	}
	p.w.t.Errorf("peer %d has no end of work", p.pid)
}

// bury releases a dead peer as another would.
func (w *world) bury(p *peer, by *peer) {
	w.dead[p.pid] = true
	for _, m := range by.d.Members() {
		if m.Slot.PID == p.pid {
			by.d.ReleaseDead(m)
		}
	}
}

// check is that the invariants hold.
func (w *world) check(when string) {
	w.t.Helper()
	if err := w.peers[0].d.Check(); err != nil {
		w.t.Fatalf("%s: %v", when, err)
	}
}

// leaks is what exists although everybody is gone; d is a driver that stayed
// attached.
func leaks(d *Driver) error {
	var err error
	for _, k := range []struct {
		name string
		n    int
	}{{"procs", procs.Live(d.a)}, {"threads", threads.Live(d.a)}, {"nodes", nodes.Live(d.a)}, {"refs", refs.Live(d.a)},
		{"deaths", deaths.Live(d.a)}, {"freeze notices", freezeNotices.Live(d.a)}, {"transactions", transactions.Live(d.a)}, {"notices", notices.Live(d.a)}, {"fixups", fixups.Live(d.a)}} {
		if k.n != 0 {
			err = errors.Join(err, fmt.Errorf("%d %s leak", k.n, k.name))
		}
	}
	return err
}

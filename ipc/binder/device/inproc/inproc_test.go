package inproc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
)

// peer is one process of a test, with one thread and memory to write commands
// to and read returns from.
type peer struct {
	t   testing.TB
	f   device.File
	m   device.Mapping
	mem []byte // bwr, commands, returns, payload
	tid int32
	out []byte
}

const (
	atCommands = 64
	atReturns  = 1024
	atPayload  = 2048
)

func newPeer(t testing.TB, d *Device, pid int32) *peer {
	t.Helper()
	f, err := d.OpenAs(Identity{PID: pid, EUID: 1000}, unix.O_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Mmap(4<<20, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(-1, 0, 1<<16, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, f: f, m: m, mem: mem, tid: pid}
	_ = p.call(nil, 256) // the first read of a fresh thread only returns
	t.Cleanup(func() {
		_ = f.Close()
		_ = m.Unmap(0, m.Len())
		_ = unix.Munmap(mem)
	})
	return p
}

func (p *peer) addr(off int) uint64 { return sys.Address(p.mem) + uint64(off) }

// call writes commands and reads returns of at most readSize bytes.
func (p *peer) call(commands []byte, readSize int) error {
	copy(p.mem[atCommands:], commands)
	bwr := abi.WriteRead{WriteSize: uint64(len(commands)), WriteBuffer: p.addr(atCommands),
		ReadSize: uint64(readSize), ReadBuffer: p.addr(atReturns)}
	bwr.Encode(p.mem)
	err := p.f.Ioctl(p.tid, uint32(abi.BINDER_WRITE_READ), uintptr(sys.Address(p.mem)))
	bwr.Decode(p.mem)
	p.out = p.mem[atReturns : atReturns+int(bwr.ReadConsumed)]
	return err
}

// returned is what the last call returned: the codes, and the last
// transaction among them.
func (p *peer) returned() (codes []abi.Return, tr abi.TransactionData) {
	d := abi.NewDecoder[abi.Return](p.out)
	for {
		code, payload, err := d.Next()
		if err != nil {
			return codes, tr
		}
		codes = append(codes, code)
		if code == abi.BR_TRANSACTION || code == abi.BR_REPLY {
			tr.Decode(payload)
		}
	}
}

func (p *peer) want(codes ...abi.Return) abi.TransactionData {
	p.t.Helper()
	got, tr := p.returned()
	if len(got) != len(codes) {
		p.t.Fatalf("returned %v, want %v", got, codes)
	}
	for i := range codes {
		if got[i] != codes[i] {
			p.t.Fatalf("returned %v, want %v", got, codes)
		}
	}
	return tr
}

func becomeManager(t testing.TB, p *peer) {
	t.Helper()
	if err := p.f.Ioctl(p.tid, uint32(abi.BINDER_SET_CONTEXT_MGR), 0); err != nil {
		t.Fatal(err)
	}
}

func TestCall(t *testing.T) {
	d, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	server, client := newPeer(t, d, 100), newPeer(t, d, 200)
	becomeManager(t, server)
	buf := make([]byte, 256)
	e := abi.NewEncoder[abi.Command](buf)
	copy(client.mem[atPayload:], "ping")
	e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{Code: 7, DataSize: 4, Buffer: client.addr(atPayload)})
	if err := client.call(e.Bytes(), 0); err != nil {
		t.Fatal(err)
	}
	if err := server.call(nil, 256); err != nil {
		t.Fatal(err)
	}
	tr := server.want(abi.BR_NOOP, abi.BR_TRANSACTION)
	if tr.Code != 7 || tr.SenderPID != 200 || tr.SenderEUID != 1000 || tr.DataSize != 4 {
		t.Errorf("received %+v", tr)
	}
	at := tr.Buffer - uint64(server.m.Addr())
	if got := string(server.m.Bytes()[at : at+4]); got != "ping" {
		t.Errorf("received %q", got)
	}
	copy(server.mem[atPayload:], "pong!")
	e.Reset()
	e.Uint64(abi.BC_FREE_BUFFER, tr.Buffer)
	e.Transaction(abi.BC_REPLY, &abi.TransactionData{DataSize: 5, Buffer: server.addr(atPayload)})
	if err := server.call(e.Bytes(), 256); err != nil {
		t.Fatal(err)
	}
	server.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE)
	if err := client.call(nil, 256); err != nil {
		t.Fatal(err)
	}
	tr = client.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_REPLY)
	at = tr.Buffer - uint64(client.m.Addr())
	if got := string(client.m.Bytes()[at : at+tr.DataSize]); got != "pong!" {
		t.Errorf("received %q", got)
	}
	if err := client.call(nil, 256); err != unix.EAGAIN {
		t.Errorf("nothing to read: %v", err)
	}
}

// TestSmallRead: a read returns what there is room for, judged by the largest return,
// and the next one the rest.
func TestSmallRead(t *testing.T) {
	d, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	server, client := newPeer(t, d, 100), newPeer(t, d, 200)
	becomeManager(t, server)
	exchange := func(p *peer, cmd abi.Command, readSize int) {
		t.Helper()
		var buf [128]byte
		e := abi.NewEncoder[abi.Command](buf[:])
		e.Transaction(cmd, &abi.TransactionData{DataSize: 4, Buffer: p.addr(atPayload)})
		if err := p.call(e.Bytes(), readSize); err != nil {
			t.Fatal(err)
		}
	}
	exchange(client, abi.BC_TRANSACTION, 0)
	if err := server.call(nil, 256); err != nil {
		t.Fatal(err)
	}
	exchange(server, abi.BC_REPLY, 256)
	for _, want := range [][]abi.Return{{abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE}, {abi.BR_NOOP, abi.BR_REPLY}} {
		if err := client.call(nil, 80); err != nil {
			t.Fatal(err)
		}
		client.want(want...)
	}
}

// roundTrip prepares a request and a reply of 64 bytes and returns a function
// that does them once: both reads, both frees.
func roundTrip(t testing.TB, d *Device, live int) func() {
	server, client := newPeer(t, d, 100), newPeer(t, d, 200)
	becomeManager(t, server)
	hold(t, client, server, live)
	var reqBuf, repBuf [256]byte
	var freeReq, freeRep uint64
	return func() {
		e := abi.NewEncoder[abi.Command](reqBuf[:])
		if freeRep != 0 {
			e.Uint64(abi.BC_FREE_BUFFER, freeRep)
		}
		e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{DataSize: 64, Buffer: client.addr(atPayload)})
		if client.call(e.Bytes(), 0) != nil || server.call(nil, 256) != nil {
			t.Fatal("request")
		}
		freeReq = binary.NativeEndian.Uint64(server.out[len(server.out)-16:])
		e = abi.NewEncoder[abi.Command](repBuf[:])
		e.Uint64(abi.BC_FREE_BUFFER, freeReq)
		e.Transaction(abi.BC_REPLY, &abi.TransactionData{DataSize: 64, Buffer: server.addr(atPayload)})
		if server.call(e.Bytes(), 256) != nil || client.call(nil, 256) != nil {
			t.Fatal("reply")
		}
		freeRep = binary.NativeEndian.Uint64(client.out[len(client.out)-16:])
	}
}

func TestRoundTripDoesNotAllocate(t *testing.T) {
	d, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	once := roundTrip(t, d, 1)
	if n := testing.AllocsPerRun(100, once); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkRoundTrip is the cost of the driver alone, with as many other
// nodes, refs and buffers between the two processes.
func BenchmarkRoundTrip(b *testing.B) {
	for _, live := range []int{1, 100, 10000} {
		b.Run(fmt.Sprintf("live=%d", live), func(b *testing.B) {
			d, err := New(Options{})
			if err != nil {
				b.Fatal(err)
			}
			once := roundTrip(b, d, live)
			once()
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}

// hold has the client publish nodes to the server, which keeps refs to them and
// the buffers that they came in.
func hold(t testing.TB, client, server *peer, live int) {
	t.Helper()
	var buf [128]byte
	send := func(p *peer, encode func(*abi.Encoder[abi.Command])) abi.TransactionData {
		t.Helper()
		e := abi.NewEncoder[abi.Command](buf[:])
		encode(&e)
		if err := p.call(e.Bytes(), 256); err != nil && err != unix.EAGAIN {
			t.Fatal(err)
		}
		_, tr := p.returned()
		return tr
	}
	for i := range live {
		node := abi.FlatBinderObject{Type: abi.BINDER_TYPE_BINDER, Binder: uint64(i + 1)}
		node.Encode(client.mem[atPayload:])
		binary.NativeEndian.PutUint64(client.mem[atPayload+24:], 0)
		_ = send(client, func(e *abi.Encoder[abi.Command]) {
			e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{DataSize: 24, Buffer: client.addr(atPayload),
				OffsetsSize: 8, Offsets: client.addr(atPayload + 24)})
		})
		tr := send(server, func(*abi.Encoder[abi.Command]) {})
		var o abi.FlatBinderObject
		o.Decode(server.m.Bytes()[tr.Buffer-uint64(server.m.Addr()):])
		_ = send(server, func(e *abi.Encoder[abi.Command]) {
			e.Uint32(abi.BC_ACQUIRE, uint32(o.Binder))
			e.Transaction(abi.BC_REPLY, &abi.TransactionData{})
		})
		reply := send(client, func(*abi.Encoder[abi.Command]) {})
		_ = send(client, func(e *abi.Encoder[abi.Command]) { e.Uint64(abi.BC_FREE_BUFFER, reply.Buffer) })
	}
}

// TestClosedFile: nothing can be done with a file that is closed, while another
// reference to the same binder_proc lives on.
func TestClosedFile(t *testing.T) {
	d, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	f, err := d.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	other, err := f.Dup()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var version [4]byte
	for name, do := range map[string]func(device.File) error{
		"ioctl": func(f device.File) error {
			return f.Ioctl(1, uint32(abi.BINDER_VERSION), uintptr(sys.Address(version[:])))
		},
		"poll":  func(f device.File) error { _, err := f.Poll(1, 0); return err },
		"mmap":  func(f device.File) error { _, err := f.Mmap(4096, unix.PROT_READ, unix.MAP_PRIVATE); return err },
		"dup":   func(f device.File) error { _, err := f.Dup(); return err },
		"close": func(f device.File) error { return f.Close() },
	} {
		if err := do(f); !errors.Is(err, unix.EBADF) {
			t.Errorf("%s of a closed file: %v", name, err)
		}
	}
	if err := other.Ioctl(1, uint32(abi.BINDER_VERSION), uintptr(sys.Address(version[:]))); err != nil {
		t.Errorf("ioctl of the other reference: %v", err)
	}
}

// TestBadArgument: an argument that cannot be read or written is EFAULT, what was
// written before holds, and the thread goes on.
func TestBadArgument(t *testing.T) {
	d, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	server, client := newPeer(t, d, 100), newPeer(t, d, 200)
	becomeManager(t, server)
	page, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(page)
	call := func(arg uint64) error {
		return client.f.Ioctl(client.tid, uint32(abi.BINDER_WRITE_READ), uintptr(arg))
	}
	e := abi.NewEncoder[abi.Command](client.mem[atCommands:atReturns])
	e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{DataSize: 4, Buffer: client.addr(atPayload)})
	bwr := abi.WriteRead{WriteSize: uint64(e.Len()), WriteBuffer: client.addr(atCommands)}
	bwr.Encode(page)
	if err := unix.Mprotect(page, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	if err := call(sys.Address(page)); !errors.Is(err, unix.EFAULT) {
		t.Errorf("an argument that cannot be written: %v", err)
	}
	if err := server.call(nil, 256); err != nil {
		t.Fatal(err)
	}
	server.want(abi.BR_NOOP, abi.BR_TRANSACTION)
	if err := unix.Mprotect(page, unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	for _, arg := range []uint64{0, 8, sys.Address(page), 1 << 63, ^uint64(0) - 8} {
		if err := call(arg); !errors.Is(err, unix.EFAULT) {
			t.Errorf("the argument %#x: %v", arg, err)
		}
	}
	if err := client.call(nil, 256); err != unix.EAGAIN {
		t.Errorf("a read after bad arguments: %v", err)
	}
}

// TestBadCommands: where the memory of a stream ends, commands are executed up to
// there, and the call says how far that was.
func TestBadCommands(t *testing.T) {
	d, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	server, client := newPeer(t, d, 100), newPeer(t, d, 200)
	becomeManager(t, server)
	const page = 4096
	pages, err := unix.Mmap(-1, 0, 2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(pages)
	if err := unix.Mprotect(pages[page:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	var command [4 + abi.SizeofTransactionData]byte
	e := abi.NewEncoder[abi.Command](command[:])
	e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{Flags: abi.TF_ONE_WAY, DataSize: 4, Buffer: client.addr(atPayload)})
	for _, stream := range []struct {
		name          string
		good, rest    int // bytes on the first page, and behind it
		want, reached int // commands executed, bytes consumed
	}{
		{"two commands, the second on a bad page", len(command), len(command), 1, len(command)},
		{"a command that reaches into a bad page", len(command) - 8, 8, 0, 0},
		{"one more that does", 2*len(command) - 8, 8, 1, len(command)},
		{"all on a bad page", 0, 2 * len(command), 0, 0},
	} {
		begin := page - stream.good
		for at := begin; at < page; at += len(command) {
			copy(pages[at:page], command[:])
		}
		bwr := abi.WriteRead{WriteSize: uint64(stream.good + stream.rest), WriteBuffer: sys.Address(pages) + uint64(begin)}
		bwr.Encode(client.mem)
		err := client.f.Ioctl(client.tid, uint32(abi.BINDER_WRITE_READ), uintptr(sys.Address(client.mem)))
		bwr.Decode(client.mem)
		if !errors.Is(err, unix.EFAULT) || bwr.WriteConsumed != uint64(stream.reached) {
			t.Errorf("%s: %d bytes consumed, %v; want %d, EFAULT", stream.name, bwr.WriteConsumed, err, stream.reached)
		}
		for got := 0; ; got++ {
			if err := server.call(nil, 256); err != nil {
				if err != unix.EAGAIN || got != stream.want {
					t.Errorf("%s: %d calls arrived, then %v; want %d", stream.name, got, err, stream.want)
				}
				break
			}
			_, tr := server.returned()
			var free [12]byte
			f := abi.NewEncoder[abi.Command](free[:])
			f.Uint64(abi.BC_FREE_BUFFER, tr.Buffer)
			if err := server.call(free[:], 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.call(nil, 256); err != nil && err != unix.EAGAIN {
			t.Errorf("%s: a read after it: %v", stream.name, err)
		}
	}
}

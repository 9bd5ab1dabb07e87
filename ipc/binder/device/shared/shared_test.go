package shared

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/child"
	"ipcbench/internal/leakcheck"
	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/driver"
	"ipcbench/ipc/binder/driver/arena"
)

// roleEnv tells a process of this test binary what to be instead of a test.
const roleEnv = "IPCBENCH_SHARED_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		runtime.LockOSThread()
		if err := roles[role](os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, role+":", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

var roles = map[string]func(args []string) error{"server": serve}

// peer is a binder_proc with one thread, and memory to write commands to and
// read returns from.
type peer struct {
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
	peerMemory = 1 << 20
)

// join joins a context, with one peer.
func join(o Options) (*Device, *peer, error) {
	d, err := New(o)
	if err != nil {
		return nil, nil, err
	}
	p, err := newPeer(d)
	return d, p, err
}

// member joins a context for the length of a test, which stays on its thread.
func member(t *testing.T, dir string) (*Device, *peer) {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	d, p, err := join(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.close()
		d.Close()
	})
	return d, p
}

func newPeer(d *Device) (*peer, error) {
	f, err := d.Open(0)
	if err != nil {
		return nil, err
	}
	p := &peer{f: f, tid: int32(unix.Gettid())}
	if p.m, err = f.Mmap(4<<20, unix.PROT_READ, unix.MAP_PRIVATE); err != nil {
		return nil, err
	}
	if p.mem, err = unix.Mmap(-1, 0, peerMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS); err != nil {
		return nil, err
	}
	return p, p.call(nil, 256) // the first read of a fresh thread only returns
}

func (p *peer) close() {
	_ = p.f.Close()
	_ = p.m.Unmap(0, p.m.Len())
	_ = unix.Munmap(p.mem)
}

func (p *peer) addr(off int) uint64 { return sys.Address(p.mem) + uint64(off) }

func (p *peer) call(commands []byte, readSize int) error {
	copy(p.mem[atCommands:], commands)
	bwr := abi.WriteRead{WriteSize: uint64(len(commands)), WriteBuffer: p.addr(atCommands),
		ReadSize: uint64(readSize), ReadBuffer: p.addr(atReturns)}
	bwr.Encode(p.mem)
	for {
		err := p.f.Ioctl(p.tid, uint32(abi.BINDER_WRITE_READ), uintptr(sys.Address(p.mem)))
		bwr.Decode(p.mem)
		if err == unix.EINTR {
			continue
		}
		p.out = p.mem[atReturns : atReturns+int(bwr.ReadConsumed)]
		return err
	}
}

// next decodes what was read until a transaction, reply or error, reading
// more when there is none.
func (p *peer) next() (abi.Return, abi.TransactionData, error) {
	for {
		d := abi.NewDecoder[abi.Return](p.out)
		for {
			code, payload, err := d.Next()
			if err != nil {
				break
			}
			switch code {
			case abi.BR_TRANSACTION, abi.BR_REPLY:
				var tr abi.TransactionData
				tr.Decode(payload)
				return code, tr, nil
			case abi.BR_DEAD_REPLY, abi.BR_FAILED_REPLY:
				return code, abi.TransactionData{}, nil
			}
		}
		if err := p.call(nil, 256); err != nil {
			return 0, abi.TransactionData{}, err
		}
	}
}

// request calls the context manager with size bytes, and returns the code of
// the answer and, for a reply, its data. free is the buffer of the last reply.
func (p *peer) request(size uint64, free uint64) (abi.Return, abi.TransactionData, error) {
	var buf [256]byte
	e := abi.NewEncoder[abi.Command](buf[:])
	if free != 0 {
		e.Uint64(abi.BC_FREE_BUFFER, free)
	}
	e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{DataSize: size, Buffer: p.addr(atPayload)})
	if err := p.call(e.Bytes(), 256); err != nil {
		return 0, abi.TransactionData{}, err
	}
	return p.next()
}

func (p *peer) bytes(tr abi.TransactionData) []byte {
	at := tr.Buffer - uint64(p.m.Addr())
	return p.m.Bytes()[at : at+tr.DataSize]
}

// serve is a context manager that echoes until it is killed. Its arguments are
// the directory and how it waits.
func serve(args []string) error {
	o := Options{Dir: args[0]}
	if len(args) > 1 {
		o = benchOptions(args[0], args[1])
	}
	p, err := becomeManager(o)
	if err != nil {
		return err
	}
	return p.echo()
}

// becomeManager joins as the context manager, and tells the test.
func becomeManager(o Options) (*peer, error) {
	_, p, err := join(o)
	if err == nil {
		err = p.f.Ioctl(p.tid, uint32(abi.BINDER_SET_CONTEXT_MGR), 0)
	}
	if err != nil {
		return nil, err
	}
	fmt.Println(child.Ready)
	return p, nil
}

// echo answers every call with its own payload.
func (p *peer) echo() error {
	var buf [256]byte
	p.out = nil
	for {
		code, tr, err := p.next()
		if err != nil {
			return err
		}
		if code != abi.BR_TRANSACTION {
			p.out = nil
			continue
		}
		copy(p.mem[atPayload:], p.bytes(tr))
		e := abi.NewEncoder[abi.Command](buf[:])
		e.Uint64(abi.BC_FREE_BUFFER, tr.Buffer)
		e.Transaction(abi.BC_REPLY, &abi.TransactionData{DataSize: tr.DataSize, Buffer: p.addr(atPayload)})
		if err := p.call(e.Bytes(), 256); err != nil {
			return err
		}
	}
}

// command is a process of this test binary in a role.
func command(role string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	return cmd
}

// start runs a role in a process of its own and waits until it says that it is
// ready.
func start(t testing.TB, role string, args ...string) *child.Child {
	t.Helper()
	c, err := child.StartReady(command(role, args...))
	if err != nil {
		t.Fatalf("%s: %v", role, err)
	}
	t.Cleanup(c.Kill)
	return c
}

func testDir(t testing.TB) string {
	t.Helper()
	return filepath.Join(leakcheck.MemoryDir(t), "context")
}

func TestCallBetweenProcesses(t *testing.T) {
	dir := testDir(t)
	start(t, "server", dir)
	d, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPeer(d)
	if err != nil {
		t.Fatal(err)
	}
	free := uint64(0)
	for i := range 1000 {
		binary.NativeEndian.PutUint64(p.mem[atPayload:], uint64(i))
		code, tr, err := p.request(uint64(8+i*16), free)
		if err != nil || code != abi.BR_REPLY {
			t.Fatalf("call %d: %v, %v", i, code, err)
		}
		if got := binary.NativeEndian.Uint64(p.bytes(tr)); got != uint64(i) || tr.DataSize != uint64(8+i*16) {
			t.Fatalf("call %d: reply %d of %d bytes", i, got, tr.DataSize)
		}
		free = tr.Buffer
	}
	p.close()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// TestServerKilled: a caller whose server is killed is told, and nothing of
// the dead process is left.
func TestServerKilled(t *testing.T) {
	dir := testDir(t)
	server := start(t, "server", dir)
	d, p := member(t, dir)
	if code, _, err := p.request(64, 0); code != abi.BR_REPLY || err != nil {
		t.Fatal(code, err)
	}
	if err := server.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	answered := make(chan abi.Return, 1)
	go func() {
		runtime.LockOSThread()
		q := &peer{f: p.f, m: p.m, mem: p.mem, tid: int32(unix.Gettid())}
		code, _, err := q.request(64, 0)
		if err != nil {
			t.Error(err)
		}
		answered <- code
	}()
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if code := <-answered; code != abi.BR_DEAD_REPLY {
		t.Errorf("the caller reads %v, want BR_DEAD_REPLY", code)
	}
	awaitAlone(t, d)
	left := []string(nil)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		left, _ = filepath.Glob(filepath.Join(dir, "*-*"))
		if len(left) == 3 { // this member's file, socket and region
			return
		}
	}
	t.Errorf("left in the directory: %v", left)
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(dir string) error
		want  error
	}{
		{"magic", func(dir string) error { return patch(dir, 0, "not it.") }, arena.ErrMagic},
		{"version", func(dir string) error { return patch(dir, 8, "\xff\xff") }, arena.ErrVersion},
		{"truncated", func(dir string) error { return os.Truncate(filepath.Join(dir, "arena"), 1<<20) }, arena.ErrSize},
		{"tiny", func(dir string) error { return os.Truncate(filepath.Join(dir, "arena"), 100) }, arena.ErrSize},
		{"namespace", func(dir string) error {
			link := filepath.Join(dir, "namespace")
			return errors.Join(os.Remove(link), os.Symlink("pid:[1]", link))
		}, ErrNamespace},
		{"no directory", func(dir string) error { return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600)) }, unix.ENOTDIR},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := testDir(t)
			stop(t, start(t, "server", dir)) // or it would give the context up
			if err := c.spoil(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := New(Options{Dir: dir}); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// stop stops a process.
func stop(t *testing.T, cmd *child.Child) {
	t.Helper()
	if err := cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(cmd.Process.Pid, &status, unix.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("process %d did not stop: %v", cmd.Process.Pid, err)
	}
}

func patch(dir string, at int64, with string) error {
	f, err := os.OpenFile(filepath.Join(dir, "arena"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt([]byte(with), at)
	return err
}

// benchOptions are those of a worker of the benchmark: a thread that sleeps in
// raw calls, in a process whose collector rests.
func benchOptions(dir, wait string) Options {
	debug.SetGCPercent(-1)
	o := Options{Dir: dir, RawWait: true}
	switch wait {
	case "adaptive":
		o.Wait = driver.WaitAdaptive
	case "spin":
		o.Wait = driver.WaitSpin
	case "safe":
		o.RawWait = false
	}
	return o
}

// BenchmarkPingPong is a call with a reply of the same size between two
// processes.
func BenchmarkPingPong(b *testing.B) {
	for _, wait := range []string{"block", "safe", "adaptive", "spin"} {
		for _, size := range []string{"64", "4096", "65536"} {
			b.Run(strings.Join([]string{"wait=" + wait, "size=" + size}, "/"), func(b *testing.B) {
				n, _ := strconv.ParseUint(size, 10, 64)
				pingPong(b, wait, n)
			})
		}
	}
}

func pingPong(b *testing.B, wait string, size uint64) {
	dir := testDir(b)
	start(b, "server", dir, wait)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	d, err := New(benchOptions(dir, wait))
	if err != nil {
		b.Fatal(err)
	}
	p, err := newPeer(d)
	if err != nil {
		b.Fatal(err)
	}
	free := uint64(0)
	for b.Loop() {
		code, tr, err := p.request(size, free)
		if err != nil || code != abi.BR_REPLY {
			b.Fatal(code, err)
		}
		free = tr.Buffer
	}
	b.StopTimer()
	p.close()
	if err := d.Close(); err != nil {
		b.Error(err)
	}
}

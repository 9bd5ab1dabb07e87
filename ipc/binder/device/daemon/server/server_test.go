package server_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/child"
	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/daemon"
	"ipcbench/ipc/binder/device/daemon/server"
	"ipcbench/ipc/binder/device/daemon/wire"
)

// Variables that make a process of this test binary a daemon at a socket, a client
// that sends without end, or one that reads each reply before it calls again.
const (
	daemonVariable = "IPCBENCH_TEST_DAEMON"
	clientVariable = "IPCBENCH_TEST_CLIENT"
	callerVariable = "IPCBENCH_TEST_CALLER"
)

// testLimits are small, so that tests come to them.
var testLimits = server.Limits{Processes: 64, Threads: 8, Region: 1 << 20, Files: 4, Buffers: 16, Objects: 8}

func TestMain(m *testing.M) {
	if socket := os.Getenv(daemonVariable); socket != "" {
		fmt.Fprintln(os.Stderr, serveDaemon(socket))
		os.Exit(1)
	}
	if socket := os.Getenv(clientVariable); socket != "" {
		fmt.Fprintln(os.Stderr, callForever(socket))
		os.Exit(1)
	}
	if socket := os.Getenv(callerVariable); socket != "" {
		fmt.Fprintln(os.Stderr, call(socket))
		os.Exit(1)
	}
	if socket := os.Getenv(serviceVariable); socket != "" {
		fmt.Fprintln(os.Stderr, serveRaw(socket))
		os.Exit(1)
	}
	if os.Getenv(readableVariable) != "" {
		fmt.Fprintln(os.Stderr, offerMemory())
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func serveDaemon(socket string) error {
	s, err := server.New(server.Options{Limits: testLimits})
	if err != nil {
		return err
	}
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Net: "unixpacket", Name: socket})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return s.Serve(l)
}

// running is a daemon in a process of its own.
type running struct {
	t      testing.TB
	socket string
	cmd    *child.Child
}

var sockets int

func start(t testing.TB) *running {
	t.Helper()
	sockets++
	d := &running{t: t, socket: fmt.Sprintf("@daemontest-%d-%d", os.Getpid(), sockets)}
	d.restart()
	t.Cleanup(func() { d.kill() })
	return d
}

func (d *running) restart() {
	d.t.Helper()
	d.cmd = part(d.t, daemonVariable, d.socket)
}

// part starts this binary in another part and waits until it is ready.
func part(t testing.TB, variable, value string) *child.Child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), variable+"="+value)
	c, err := child.StartReady(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (d *running) kill() { d.cmd.Kill() }

func (d *running) device() *daemon.Device { return daemon.New(daemon.Options{Socket: d.socket}) }

// descriptors and threads of the daemon's process.
func (d *running) count(what string) int {
	all, _ := os.ReadDir(fmt.Sprintf("/proc/%d/%s", d.cmd.Process.Pid, what))
	return len(all)
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, look func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !look(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: never came true", what)
		}
	}
}

// works shows that the daemon serves others still: the version, and a mapping.
func (d *running) works() {
	d.t.Helper()
	f, err := d.device().Open(0)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	m := newMemory(d.t)
	if err := f.Ioctl(1, uint32(abi.BINDER_VERSION), m.addr); err != nil {
		d.t.Fatal(err)
	}
	mapping, err := f.Mmap(1<<16, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := mapping.Unmap(0, mapping.Len()); err != nil {
		d.t.Fatal(err)
	}
}

// memory holds what ioctls point to.
type memory struct {
	bytes []byte
	addr  uintptr
}

func newMemory(t testing.TB) memory {
	b, err := unix.Mmap(-1, 0, 1<<16, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(b) })
	return memory{b, uintptr(sys.Address(b))}
}

// call writes n bytes of the memory from 4096 as commands.
func (m memory) call(f device.File, thread int32, n, read uint64) error {
	wr := abi.WriteRead{WriteSize: n, WriteBuffer: uint64(m.addr) + 4096, ReadSize: read, ReadBuffer: uint64(m.addr) + 32768}
	wr.Encode(m.bytes)
	return f.Ioctl(thread, uint32(abi.BINDER_WRITE_READ), m.addr)
}

// raw is a client that keeps to nothing: a connection, and pages of its own.
type raw struct {
	t  testing.TB
	fd int
}

func (d *running) raw() *raw {
	d.t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: d.socket})
	}
	if err != nil {
		d.t.Fatal(err)
	}
	r := &raw{d.t, fd}
	d.t.Cleanup(r.close)
	return r
}

func (r *raw) close() {
	if r.fd >= 0 {
		unix.Close(r.fd)
		r.fd = -1
	}
}

// ask returns the answer's errno, or EPIPE if the daemon hung up, and what
// descriptor came along.
func (r *raw) ask(m wire.Message) (unix.Errno, int) {
	if unix.Send(r.fd, m.Encode(), unix.MSG_NOSIGNAL) != nil {
		return unix.EPIPE, -1
	}
	b, oob := make([]byte, 64), make([]byte, 64)
	n, on, _, _, err := unix.Recvmsg(r.fd, b, oob, unix.MSG_CMSG_CLOEXEC)
	var answer wire.Message
	if err != nil || answer.Decode(b[:n]) != nil {
		return unix.EPIPE, -1
	}
	if messages, err := unix.ParseSocketControlMessage(oob[:on]); err == nil && len(messages) > 0 {
		if fds, err := unix.ParseUnixRights(&messages[0]); err == nil && len(fds) > 0 {
			return unix.Errno(answer.Errno), fds[0]
		}
	}
	return unix.Errno(answer.Errno), -1
}

// open makes a binder_proc.
func (r *raw) open() {
	r.t.Helper()
	m := newMemory(r.t)
	m.bytes[0] = 1
	if e, _ := r.ask(wire.Message{Operation: wire.Hello, A: wire.Version}); e != 0 {
		r.t.Fatal(e)
	}
	e, fd := r.ask(wire.Message{Operation: wire.Open, A: uint64(m.addr), B: 1})
	if e != 0 {
		r.t.Fatal(e)
	}
	unix.Close(fd)
}

func (r *raw) thread(key uint64) wire.Page {
	r.t.Helper()
	e, fd := r.ask(wire.Message{Operation: wire.Thread, A: key})
	if e != 0 {
		r.t.Fatal(e)
	}
	defer unix.Close(fd)
	page, err := unix.Mmap(fd, 0, wire.PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		r.t.Fatal(err)
	}
	return page
}

// ioctl rings with a request that has nothing in the page.
func (r *raw) ioctl(page wire.Page, number uint32, cmd abi.Ioctl, arg memory) {
	page.PutRequest(&wire.Request{Kind: wire.Ioctl, Command: uint32(cmd), Argument: uint64(arg.addr)})
	page.Calls().Ring(number)
}

// first is a thread's first call, in which it would not wait for anything.
func (r *raw) first(page wire.Page, arg memory) {
	r.t.Helper()
	r.ioctl(page, 1, abi.BINDER_ENABLE_ONEWAY_SPAM_DETECTION, arg)
	eventually(r.t, "the first call ends", func() bool { return page.Answers().Number() == 1 })
}

func TestIdentityComesFromTheKernel(t *testing.T) {
	d := start(t)
	d.works()
	r := d.raw()
	if e, _ := r.ask(wire.Message{Operation: wire.Open}); e != unix.EPROTO {
		t.Errorf("open without greeting: %v", e)
	}
	if e, _ := r.ask(wire.Message{Operation: wire.Hello, A: 99}); e != unix.EPROTO {
		t.Errorf("another version: %v", e)
	}
	r.ask(wire.Message{Operation: wire.Hello, A: wire.Version})
	if e, _ := r.ask(wire.Message{Operation: wire.Open, A: 8, B: 1}); e != unix.EPERM {
		t.Errorf("a client that cannot be read: %v", e)
	}
	if e, _ := r.ask(wire.Message{Operation: wire.Thread, A: 1}); e != unix.EBADF {
		t.Errorf("a thread of nothing: %v", e)
	}
	d.works()
}

// TestRegionIsSealed: who has a region's file can neither write it nor take its
// pages away.
func TestRegionIsSealed(t *testing.T) {
	d := start(t)
	r := d.raw()
	r.open()
	e, fd := r.ask(wire.Message{Operation: wire.Map, A: 1 << 16, B: 0x10000})
	if e != 0 {
		t.Fatal(e)
	}
	defer unix.Close(fd)
	if _, err := unix.Mmap(fd, 0, 1<<16, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		t.Error("the region can be mapped writable")
	}
	again, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDWR, 0)
	if err != nil {
		return // not even that
	}
	defer unix.Close(again)
	if _, err := unix.Mmap(again, 0, 1<<16, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != unix.EPERM {
		t.Error("mapping it writable after opening it so:", err)
	}
	if _, err := unix.Write(again, []byte{1}); err != unix.EPERM {
		t.Error("writing:", err)
	}
	if err := unix.Ftruncate(again, 0); err != unix.EPERM {
		t.Error("truncating:", err)
	}
	if err := unix.Fallocate(again, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 4096); err != unix.EPERM {
		t.Error("punching:", err)
	}
}

// TestMalformedPages: requests that no client would make end the connection, or
// fail, and nothing else.
func TestMalformedPages(t *testing.T) {
	d := start(t)
	for i, q := range []wire.Request{
		{Kind: 0},
		{Kind: 77},
		{Kind: wire.Answered, Argument: 1},
		{Kind: wire.Ioctl, ArgumentLength: 1 << 31},
		{Kind: wire.Ioctl, CommandsLength: wire.MaxCommands + 1},
		{Kind: wire.Ioctl, ReturnsLength: 1 << 30},
		{Kind: wire.Ioctl, Command: 0xffffffff, Argument: 1<<64 - 1},
		{Kind: wire.Ioctl, Command: uint32(abi.BINDER_WRITE_READ), Argument: 1<<64 - 8},
		{Kind: wire.Ioctl, Command: uint32(abi.BINDER_WRITE_READ), Argument: 1 << 47, ArgumentLength: 48, Returns: 1<<64 - 4, ReturnsLength: 8},
	} {
		r := d.raw()
		r.open()
		page := r.thread(1)
		page.PutRequest(&q)
		page.Calls().Ring(1)
		eventually(t, fmt.Sprintf("request %d is answered or hung up on", i), func() bool {
			e, _ := r.ask(wire.Message{Operation: wire.Flush})
			return page.Answers().Number() == 1 || e == unix.EPIPE
		})
		unix.Munmap(page)
		r.close()
	}
	d.works()
}

// TestChangingPage: a client writes to its page without pause while the daemon
// reads it.
func TestChangingPage(t *testing.T) {
	d := start(t)
	r := d.raw()
	r.open()
	page := r.thread(1)
	defer unix.Munmap(page)
	stop := time.Now().Add(300 * time.Millisecond)
	for n := uint32(1); time.Now().Before(stop); n++ {
		page.PutRequest(&wire.Request{Kind: wire.RequestKind(n % 6), Command: uint32(abi.BINDER_WRITE_READ),
			Argument: uint64(n), ArgumentLength: n % 200, CommandsLength: n % 4000, ReturnsLength: n % 4000})
		for i := 384; i < len(page); i++ {
			page[i] = byte(n) ^ byte(i)
		}
		page.Calls().Ring(n & (1<<30 - 1))
		page.Calls().Kick()
		if n%64 == 0 {
			if e, _ := r.ask(wire.Message{Operation: wire.Interrupt, A: 1, B: uint64(n)}); e == unix.EPIPE {
				unix.Munmap(page)
				r.close()
				r = d.raw()
				r.open()
				page = r.thread(1)
			}
		}
	}
	d.works()
}

// TestInterrupt: a call that waits for work ends when its client asks for that, even
// before it waits, and not if another one is meant.
func TestInterrupt(t *testing.T) {
	d := start(t)
	r := d.raw()
	r.open()
	page := r.thread(1)
	defer unix.Munmap(page)
	m := newMemory(t)
	r.first(page, m)
	wr := abi.WriteRead{ReadSize: 1024, ReadBuffer: uint64(m.addr) + 4096}
	wr.Encode(m.bytes)
	r.ioctl(page, 2, abi.BINDER_WRITE_READ, m)
	for _, call := range []uint64{1, 2} {
		if n := page.Answers().Number(); n != 1 {
			t.Fatal("the call ended by itself, or for another's sake:", n)
		}
		if e, _ := r.ask(wire.Message{Operation: wire.Interrupt, A: 1, B: call}); e != 0 {
			t.Fatal(e)
		}
	}
	ends := func(call uint32) {
		t.Helper()
		eventually(t, "the call ends", func() bool { return page.Answers().Number() == call })
		var answer wire.Answer
		if page.Answer(&answer); unix.Errno(answer.Errno) != unix.EINTR {
			t.Errorf("it ends with %v", unix.Errno(answer.Errno))
		}
	}
	ends(2)
	// What goes over the socket may come before what is in the page.
	if e, _ := r.ask(wire.Message{Operation: wire.Interrupt, A: 1, B: 3}); e != 0 {
		t.Fatal(e)
	}
	wr.Encode(m.bytes)
	r.ioctl(page, 3, abi.BINDER_WRITE_READ, m)
	ends(3)
}

// TestTerse: a thread that has called before can be spared the completions of its
// replies: each read that sends one waits for the next call. Otherwise it reads them.
func TestTerse(t *testing.T) {
	for _, terse := range []bool{false, true} {
		d := start(t)
		p, err := join(d.socket)
		if err != nil {
			t.Fatal(err)
		}
		defer p.leave()
		if err := p.file.Ioctl(1, uint32(abi.BINDER_SET_CONTEXT_MGR), p.memory.addr); err != nil {
			t.Fatal(err)
		}
		if terse && !p.file.(device.Terse).SetTerse(1) {
			t.Fatal("a thread that has called before cannot be terse")
		}
		client := part(t, callerVariable, d.socket)
		defer client.Kill()
		served, completions := 0, 0
		for s, all := (&service{party: p}), []answer(nil); served < 20; {
			all, err = p.talk(true, func(e *abi.Encoder[abi.Command]) {
				for _, a := range all {
					s.act(e, a)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range all {
				switch a.code {
				case abi.BR_TRANSACTION:
					served++
				case abi.BR_TRANSACTION_COMPLETE:
					completions++
				}
			}
		}
		if want := map[bool]int{false: served - 1, true: 0}[terse]; completions != want {
			t.Errorf("terse %v: %d completions of %d replies, want %d", terse, completions, served-1, want)
		}
	}
}

// TestLimits: what a process may have is limited, with the documented errors.
func TestLimits(t *testing.T) {
	d := start(t)
	before := d.count("fd")
	f, err := d.device().Open(0)
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory(t)
	for key := int32(1); key <= int32(testLimits.Threads); key++ {
		if err := f.Ioctl(key, uint32(abi.BINDER_VERSION), m.addr); err != nil {
			t.Fatal(err)
		}
	}
	for key := int32(1000); key < 3000; key++ { // thousands of threads
		if err := f.Ioctl(key, uint32(abi.BINDER_VERSION), m.addr); !errors.Is(err, unix.ENOMEM) {
			t.Fatal("one thread too many:", err)
		}
	}
	if err := f.Ioctl(1, uint32(abi.BINDER_THREAD_EXIT), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Ioctl(1000, uint32(abi.BINDER_VERSION), m.addr); err != nil {
		t.Error("in the place of one that exited:", err)
	}
	if _, err := f.Mmap(2*testLimits.Region, unix.PROT_READ, unix.MAP_PRIVATE); !errors.Is(err, unix.ENOMEM) {
		t.Error("a region too long:", err)
	}
	var all []device.File
	for len(all) < 2*testLimits.Processes {
		other, err := d.device().Open(0)
		if err != nil {
			break
		}
		all = append(all, other)
	}
	if len(all) >= testLimits.Processes {
		t.Errorf("%d open files of one user", len(all)+1)
	}
	for _, other := range append(all, f) {
		other.Close()
	}
	eventually(t, "the daemon's descriptors are closed", func() bool { return d.count("fd") <= before })
	d.works()
}

// TestRestart: clients of a daemon that dies get an error, and the next one
// serves them.
func TestRestart(t *testing.T) {
	d := start(t)
	f, err := d.device().Open(0)
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory(t)
	m.call(f, 1, 0, 256) // a fresh thread's first read returns
	blocked := make(chan error, 1)
	go func() { blocked <- m.call(f, 1, 0, 256) }()
	time.Sleep(20 * time.Millisecond)
	d.kill()
	select {
	case err := <-blocked:
		if !errors.Is(err, daemon.ErrGone) && !errors.Is(err, unix.EINTR) {
			t.Error("a blocked read:", err)
		}
	case <-time.After(time.Second):
		t.Fatal("a client still waits for a daemon that died a second ago")
	}
	if err := m.call(f, 2, 0, 256); !errors.Is(err, daemon.ErrGone) {
		t.Error("a new call:", err)
	}
	f.Close()
	if _, err := d.device().Open(0); !errors.Is(err, unix.ECONNREFUSED) {
		t.Error("open without daemon:", err)
	}
	d.restart()
	d.works()
}

// callForever is a client that maps, reads and writes until it is killed.
func callForever(socket string) error {
	f, err := daemon.New(daemon.Options{Socket: socket}).Open(unix.O_NONBLOCK)
	if err != nil {
		return err
	}
	if _, err := f.Mmap(1<<16, unix.PROT_READ, unix.MAP_PRIVATE); err != nil {
		return err
	}
	b, err := unix.Mmap(-1, 0, 1<<16, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	m := memory{b, uintptr(sys.Address(b))}
	fmt.Println("ready")
	for {
		e := abi.NewEncoder[abi.Command](b[4096:8192])
		tr := abi.TransactionData{DataSize: 1024, Buffer: uint64(m.addr) + 16384}
		e.Transaction(abi.BC_TRANSACTION, &tr)
		if err := m.call(f, 1, uint64(e.Len()), 1024); err != nil && !errors.Is(err, unix.EAGAIN) {
			return err
		}
	}
}

// TestKills: clients that are killed under load leave nothing behind in the
// daemon and do not disturb it.
func TestKills(t *testing.T) {
	kills := 20
	if os.Getenv("IPCBENCH_LONG") != "" {
		kills = 1000
	}
	d := start(t)
	manager, err := d.device().Open(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := manager.Mmap(1<<18, unix.PROT_READ, unix.MAP_PRIVATE); err != nil {
		t.Fatal(err)
	}
	m := newMemory(t)
	if err := manager.Ioctl(1, uint32(abi.BINDER_SET_CONTEXT_MGR), m.addr); err != nil {
		t.Fatal(err)
	}
	files := d.count("fd")
	for i := range kills {
		c := part(t, clientVariable, d.socket)
		time.Sleep(time.Duration(i%7) * 300 * time.Microsecond)
		c.Process.Kill()
		c.Wait()
		if err := manager.Ioctl(1, uint32(abi.BINDER_VERSION), m.addr); err != nil {
			t.Fatal(strconv.Itoa(i), err)
		}
	}
	eventually(t, "the daemon's descriptors are closed", func() bool { return d.count("fd") <= files })
	manager.Close()
	d.works()
}

package server_test

import (
	"fmt"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device/daemon/server"
	"ipcbench/ipc/binder/device/daemon/wire"
)

// startHere runs a daemon in this process, for fuzzing, which wants to see what
// its inputs reach, and for counting what it allocates.
func startHere(f testing.TB) *running {
	s, err := server.New(server.Options{Limits: testLimits})
	if err != nil {
		f.Fatal(err)
	}
	sockets++
	socket := fmt.Sprintf("@daemonfuzz-%d-%d", os.Getpid(), sockets)
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Net: "unixpacket", Name: socket})
	if err != nil {
		f.Fatal(err)
	}
	go s.Serve(l)
	f.Cleanup(func() {
		l.Close()
		s.Close()
	})
	return &running{t: f, socket: socket}
}

// FuzzPage feeds a daemon in this process arbitrary requests and messages.
func FuzzPage(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0}, []byte("page"))
	f.Add(make([]byte, 64), make([]byte, 200))
	d := startHere(f)
	f.Fuzz(func(t *testing.T, message, content []byte) {
		d := &running{t: t, socket: d.socket}
		r := d.raw()
		r.open()
		page := r.thread(1)
		defer unix.Munmap(page)
		copy(page[128:], content) // behind the bells
		page.Calls().Ring(1)
		_ = unix.Send(r.fd, message, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		page.Calls().Kick()
		r.close()
	})
}

// FuzzSocket feeds a daemon in this process a conversation of up to 16 messages of
// any content, with descriptors of any kind and number, whose answers nobody reads.
// Three bytes lead each message: what comes before it (1: a greeting, 2: an opening
// that is right), descriptors (number and kind), and length. Others are served
// after it, and no descriptor stays behind.
func FuzzSocket(f *testing.F) {
	ask := func(m wire.Message) []byte { return append([]byte{0, 0, wire.MessageSize}, m.Encode()...) }
	open := []byte{3, 0, 0}
	for _, step := range [][]byte{
		ask(wire.Message{Operation: wire.Hello, A: wire.Version}),
		append(open, ask(wire.Message{Operation: wire.Map, A: 1 << 16, B: 1 << 20})...),
		append(open, ask(wire.Message{Operation: wire.Thread, A: 1})...),
		append(open, ask(wire.Message{Operation: wire.State})...),
		{3, 0xff, 4, 1, 2, 3, 4},   // many descriptors
		{1, 0x11, 0, 0, 0x22, 0},   // nothing but descriptors
		{0, 0x35, 255, 1, 0, 0, 0}, // longer than a message
	} {
		f.Add(append(step, step...))
	}
	d, kinds, probe := startHere(f), descriptorKinds(f), newMemory(f)
	probe.bytes[0] = 1
	f.Fuzz(func(t *testing.T, script []byte) {
		d := &running{t: t, socket: d.socket}
		before := openFiles(t)
		r := d.raw()
		for step := 0; len(script) >= 3 && step < 16; step++ {
			head := script[:3]
			n := min(3+int(head[2]), len(script))
			if head[0]&1 != 0 {
				r.send((&wire.Message{Operation: wire.Hello, A: wire.Version}).Encode(), nil)
			}
			if head[0]&2 != 0 {
				r.send((&wire.Message{Operation: wire.Open, A: uint64(probe.addr), B: 1}).Encode(), nil)
			}
			var files []int
			for range head[1] & 0x0f {
				files = append(files, kinds[int(head[1]>>4)%len(kinds)])
			}
			r.send(script[3:n], files)
			script = script[n:]
		}
		r.close()
		d.works()
		eventually(t, "no descriptor stays behind", func() bool { return openFiles(t) <= before })
	})
}

// send sends what need not be a message.
func (r *raw) send(b []byte, files []int) {
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	_ = unix.Sendmsg(r.fd, b, rights, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
}

func openFiles(t testing.TB) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// descriptorKinds are descriptors that a hostile client might send.
func descriptorKinds(t testing.TB) (fds []int) {
	add := func(fd int, err error) {
		if err != nil {
			t.Fatal(err)
		}
		fds = append(fds, fd)
		t.Cleanup(func() { unix.Close(fd) })
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	add(pipe[0], nil)
	add(pipe[1], nil)
	add(unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0))
	add(unix.MemfdCreate("fuzz", unix.MFD_CLOEXEC))
	add(unix.Eventfd(0, unix.EFD_CLOEXEC))
	add(unix.EpollCreate1(unix.EPOLL_CLOEXEC))
	add(unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0))
	add(unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0))
	return fds
}

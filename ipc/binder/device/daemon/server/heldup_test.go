package server_test

import (
	"encoding/binary"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device/daemon/wire"
)

// held is memory that whoever reads or writes it waits for, in the kernel too, until
// it is released: what a client can do to a daemon that copies from or to it.
type held struct {
	memory
	fd int
}

// hold makes held memory of a page, as userfaultfd(2) and ioctl_userfaultfd(2) say.
func hold(t *testing.T) *held {
	const (
		api         = 0xaa
		ioctlAPI    = 0xc018aa3f
		ioctlHold   = 0xc020aa00
		modeMissing = 1
	)
	fd, err := sys.Userfaultfd(unix.O_CLOEXEC | unix.O_NONBLOCK)
	if err != nil {
		t.Skip("userfaultfd:", err)
	}
	h := &held{newMemory(t), fd}
	t.Cleanup(h.release)
	arg := newMemory(t)
	put := func(words ...uint64) {
		for i, w := range words {
			binary.NativeEndian.PutUint64(arg.bytes[8*i:], w)
		}
	}
	put(api, 0, 0)
	if err := sys.Ioctl(fd, ioctlAPI, arg.addr); err != nil {
		t.Fatal(err)
	}
	put(uint64(h.addr), uint64(os.Getpagesize()), modeMissing, 0)
	if err := sys.Ioctl(fd, ioctlHold, arg.addr); err != nil {
		t.Fatal(err)
	}
	return h
}

// holds says whether somebody waits for the memory.
func (h *held) holds() bool {
	fds := []unix.PollFd{{Fd: int32(h.fd), Events: unix.POLLIN}}
	n, _ := unix.Poll(fds, 0)
	return n > 0
}

func (h *held) release() {
	if h.fd >= 0 {
		unix.Close(h.fd)
		h.fd = -1
	}
}

// undisturbed has the neighbour call while somebody is held up, and lets that one
// go on.
func (h *neighbourhood) undisturbed(x *held) {
	h.t.Helper()
	eventually(h.t, "the daemon comes to the memory", x.holds)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20 {
			h.echo(i)
		}
	}()
	defer func() { <-done }()
	defer x.release()
	eventually(h.t, "the neighbour is served", func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	})
}

// TestHeldUpSender: a client whose payload the daemon waits for holds up nobody
// else.
func TestHeldUpSender(t *testing.T) {
	h := newNeighbourhood(t)
	o, err := join(h.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer o.leave()
	x := hold(t)
	sent := make(chan error, 1)
	go func() {
		tr := abi.TransactionData{Code: echoCode, Buffer: uint64(x.addr), DataSize: 64}
		_, err := o.talk(true, func(e *abi.Encoder[abi.Command]) { e.Transaction(abi.BC_TRANSACTION, &tr) })
		sent <- err
	}()
	h.undisturbed(x)
	if err := <-sent; err != nil {
		t.Error("the call that was held up:", err)
	}
}

// TestHeldUpReceiver: a client that has its reply written to memory that the daemon
// waits for, instead of to its page, holds up neither the service that
// replies nor anybody else.
func TestHeldUpReceiver(t *testing.T) {
	h := newNeighbourhood(t)
	x := hold(t)
	r := (&running{t: t, socket: h.socket}).raw()
	r.open()
	e, fd := r.ask(wire.Message{Operation: wire.Map, A: 1 << 16, B: 1 << 20})
	if e != 0 {
		t.Fatal(e)
	}
	unix.Close(fd)
	page := r.thread(1)
	defer unix.Munmap(page)
	m := newMemory(t)
	commands := abi.NewEncoder[abi.Command](m.bytes[4096:8192])
	commands.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{Code: hurryCode})
	wr := abi.WriteRead{WriteSize: uint64(commands.Len()), WriteBuffer: uint64(m.addr) + 4096, ReadSize: 1024, ReadBuffer: uint64(x.addr)}
	wr.Encode(m.bytes)
	r.first(page, m)
	r.ioctl(page, 2, abi.BINDER_WRITE_READ, m)
	h.undisturbed(x)
	eventually(t, "the reply is read", func() bool { return page.Answers().Number() == 2 })
}

package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device/daemon/server"
	"ipcbench/ipc/binder/driver"
)

// serviceVariable makes a process of this test binary the service at a socket.
const serviceVariable = "IPCBENCH_TEST_SERVICE"

// neighbourhood is a daemon in this process, a service in another one, and a
// neighbour that calls it.
type neighbourhood struct {
	t         *testing.T
	server    *server.Server
	socket    string
	neighbour *party
}

func newNeighbourhood(t *testing.T) *neighbourhood {
	s, err := server.New(server.Options{Limits: testLimits})
	if err != nil {
		t.Fatal(err)
	}
	sockets++
	h := &neighbourhood{t: t, server: s, socket: fmt.Sprintf("@daemonhostile-%d-%d", os.Getpid(), sockets)}
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Net: "unixpacket", Name: h.socket})
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	service := part(t, serviceVariable, h.socket)
	if h.neighbour, err = join(h.socket); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.neighbour.leave()
		_ = service.Process.Kill()
		_ = service.Wait()
		l.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	h.echo(0)
	return h
}

// echo has the service send a text back to the neighbour.
func (h *neighbourhood) echo(i int) {
	text := fmt.Appendf(nil, "call number %d", i)
	code, reply, err := h.neighbour.call(echoCode, 0, text, 0)
	if err != nil || code != abi.BR_REPLY || !bytes.Equal(h.neighbour.view(reply.Buffer, reply.DataSize), text) {
		h.t.Errorf("the neighbour's call: %v, %v (%v)", code, err, h.neighbour.why())
		return
	}
	if err := h.neighbour.free(reply.Buffer); err != nil {
		h.t.Error(err)
	}
}

// keepCalling has the neighbour call until stop.
func (h *neighbourhood) keepCalling() (stop func()) {
	var stopping atomic.Bool
	var calling sync.WaitGroup
	calling.Go(func() {
		for n := 0; !stopping.Load(); n++ {
			h.echo(n)
		}
	})
	return func() {
		stopping.Store(true)
		calling.Wait()
	}
}

// release has the service free what it kept.
func (h *neighbourhood) release() {
	code, reply, err := h.neighbour.call(releaseCode, 0, nil, 0)
	if err = errors.Join(err, h.neighbour.free(reply.Buffer)); err != nil || code != abi.BR_REPLY {
		h.t.Fatal(code, err)
	}
	h.echo(0) // it has, by now
}

// holdings are what a daemon has for its clients. It is in this process, and so
// are they.
type holdings struct {
	goroutines, descriptors, mappings, buffers int
	records                                    driver.Totals
}

func (x holdings) within(limit holdings) bool {
	r, most := x.records, limit.records
	return x.goroutines <= limit.goroutines && x.descriptors <= limit.descriptors && x.mappings <= limit.mappings &&
		x.buffers <= limit.buffers && r.Procs <= most.Procs && r.Threads <= most.Threads && r.Nodes <= most.Nodes &&
		r.Refs <= most.Refs && r.Deaths <= most.Deaths && r.Transactions <= most.Transactions && r.Completes <= most.Completes
}

func (h *neighbourhood) holdings() (x holdings) {
	x.goroutines = runtime.NumGoroutine()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		h.t.Fatal(err)
	}
	x.descriptors, x.mappings = openFiles(h.t), strings.Count(string(maps), "memfd:binder-")
	state := h.server.Driver().State()
	x.records = state.Active
	for _, p := range state.Procs {
		x.buffers += len(p.Buffers)
	}
	return x
}

// TestOffenders: a client that takes all it can gets the documented error. Its
// neighbour is served all the while, and when it is gone the daemon has nothing
// of it left.
func TestOffenders(t *testing.T) {
	for _, offence := range []struct {
		name   string
		commit func(t *testing.T, o *party, h *neighbourhood)
	}{
		{"Nodes", publishTooMuch},
		{"Handles", receiveTooMuch},
		{"Descriptors", sendTooManyDescriptors},
		{"OwnBuffers", func(t *testing.T, o *party, _ *neighbourhood) { neverFree(t, o, 8, testLimits.Buffers) }},
		{"OwnRegion", func(t *testing.T, o *party, _ *neighbourhood) {
			neverFree(t, o, payloadSize/2, 2*testLimits.Region/payloadSize)
		}},
		{"OthersBuffers", func(t *testing.T, o *party, _ *neighbourhood) { fillOther(t, o, 8, testLimits.Buffers/2) }},
		{"OthersRegion", func(t *testing.T, o *party, _ *neighbourhood) {
			fillOther(t, o, payloadSize/2, testLimits.Region/payloadSize)
		}},
		{"NeverReads", neverRead},
	} {
		t.Run(offence.name, func(t *testing.T) {
			h := newNeighbourhood(t)
			before := h.holdings()
			o, err := join(h.socket)
			if err != nil {
				t.Fatal(err)
			}
			stop := h.keepCalling()
			defer stop()
			offence.commit(t, o, h)
			stop()
			for i := range 10 { // nor hindered by what is still there
				h.echo(i)
			}
			o.leave()
			eventually(t, "the daemon lets go of what the offender had", func() bool {
				h.release()
				return h.holdings().within(before)
			})
		})
	}
}

// refused expects a call to fail with an errno.
func refused(t *testing.T, o *party, want unix.Errno, code uint32, flags abi.TransactionFlags, data []byte, objectSize int) {
	t.Helper()
	got, _, err := o.call(code, flags, data, objectSize)
	if why := o.why(); err != nil || got != abi.BR_FAILED_REPLY || why != want {
		t.Errorf("%v, %v because of %v; want BR_FAILED_REPLY because of %v", got, err, why, want)
	}
}

// accepted expects a call to succeed.
func accepted(t *testing.T, o *party, code uint32, flags abi.TransactionFlags, data []byte, objectSize int) {
	t.Helper()
	got, _, err := o.call(code, flags, data, objectSize)
	if err != nil || got != abi.BR_REPLY && got != abi.BR_TRANSACTION_COMPLETE {
		t.Errorf("%v, %v because of %v", got, err, o.why())
	}
}

func publishTooMuch(t *testing.T, o *party, _ *neighbourhood) {
	refused(t, o, unix.ENOMEM, echoCode, 0, nodes(testLimits.Objects+1), abi.SizeofFlatBinderObject)
	accepted(t, o, takeCode, 0, nodes(testLimits.Objects/2), abi.SizeofFlatBinderObject)
}

// receiveTooMuch asks for more objects than it may have handles: half of them are
// a second file's, the others the service's own.
func receiveTooMuch(t *testing.T, o *party, h *neighbourhood) {
	other, err := join(h.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer other.leave()
	half := testLimits.Objects / 2
	accepted(t, other, takeCode, 0, nodes(half), abi.SizeofFlatBinderObject)
	if got, _, err := o.call(giveCode, 0, []byte{byte(half + 1)}, 0); err != nil || got != abi.BR_FAILED_REPLY {
		t.Errorf("one handle too many: %v, %v", got, err)
	}
	accepted(t, o, giveCode, 0, []byte{byte(half)}, 0)
}

func sendTooManyDescriptors(t *testing.T, o *party, _ *neighbourhood) {
	for range 3 {
		refused(t, o, unix.EBADF, echoCode, 0, descriptors(testLimits.Files+1), abi.SizeofFDObject)
		accepted(t, o, echoCode, 0, descriptors(testLimits.Files), abi.SizeofFDObject)
	}
}

// neverFree has replies of a size sent to itself until its region takes no more.
func neverFree(t *testing.T, o *party, size, fit int) {
	for i := range fit {
		if got, _, err := o.call(echoCode, 0, make([]byte, size), 0); err != nil || got != abi.BR_REPLY {
			t.Fatalf("reply %d of %d bytes: %v, %v", i, size, got, err)
		}
	}
	for range 10 {
		got, _, err := o.call(echoCode, 0, make([]byte, size), 0)
		if err != nil || got != abi.BR_FAILED_REPLY {
			t.Fatalf("a reply for which there is no room: %v, %v", got, err)
		}
	}
}

// fillOther sends the service what that does not free, at most fit requests, until ten
// in a row were refused: a single one may be because the neighbour's call has a buffer
// there just then.
func fillOther(t *testing.T, o *party, size, fit int) {
	data := make([]byte, size)
	for sent, refused := 0, 0; refused < 10; {
		got, _, err := o.call(keepCode, abi.TF_ONE_WAY, data, 0)
		switch {
		case err == nil && got == abi.BR_FAILED_REPLY:
			if why := o.why(); why != unix.ENOSPC {
				t.Fatalf("request %d of %d bytes is refused because of %v", sent, size, why)
			}
			refused++
		case err != nil || sent >= fit:
			t.Fatalf("request %d of %d bytes: %v, %v", sent, size, got, err)
		default:
			sent, refused = sent+1, 0
		}
	}
}

// neverRead sends requests without reading what comes of them. Each of them is
// served, so that none fails.
func neverRead(t *testing.T, o *party, h *neighbourhood) {
	pacer, err := join(h.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer pacer.leave()
	tr := abi.TransactionData{Code: echoCode, Flags: abi.TF_ONE_WAY}
	o.put(&tr, make([]byte, 400))
	send := func() error {
		code, reply, err := pacer.call(echoCode, 0, nil, 0)
		if err = errors.Join(err, pacer.free(reply.Buffer)); err != nil || code != abi.BR_REPLY {
			t.Fatal(code, err)
		}
		_, err = o.talk(false, func(e *abi.Encoder[abi.Command]) {
			e.Transaction(abi.BC_TRANSACTION, &tr)
			e.Transaction(abi.BC_TRANSACTION, &tr)
		})
		return err
	}
	for n := 0; len(o.left) == 0; n++ { // then nothing is consumed any more
		err := send()
		if errors.Is(err, unix.EFAULT) {
			break
		}
		if err != nil || n > 1<<14 {
			t.Fatalf("after %d requests: %v", n, err)
		}
	}
	for read := true; read || len(o.left) > 0; read = false {
		if _, err := o.talk(true, nothing); err != nil {
			t.Fatal("reading at last:", err)
		}
	}
	if err := send(); err != nil {
		t.Error("sending after that:", err)
	}
}

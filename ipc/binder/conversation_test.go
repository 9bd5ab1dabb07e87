package binder

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/parcel"
)

// These tests show, write by write, that the runtime talks to the driver as
// libbinder does.

func expect(t *testing.T, d *fakeDevice, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, d.told()); diff != "" {
		t.Errorf("what the driver was told (-want +got):\n%s", diff)
	}
}

func TestOpen(t *testing.T) {
	d, ps := openFake(t)
	want := []abi.Ioctl{abi.BINDER_VERSION, abi.BINDER_SET_MAX_THREADS, abi.BINDER_ENABLE_ONEWAY_SPAM_DETECTION}
	if diff := cmp.Diff(want, d.ioctls); diff != "" {
		t.Errorf("ioctls (-want +got):\n%s", diff)
	}
	if Self(d) != ps {
		t.Error("Self does not find the ProcessState")
	}
	if _, err := Open(d); !errors.Is(err, unix.EBUSY) {
		t.Errorf("a second Open: %v", err)
	}
	if err := ps.Close(); err != nil {
		t.Error(err)
	}
	if Self(d) != nil {
		t.Error("Self finds a closed ProcessState")
	}
}

func TestOpenOtherVersion(t *testing.T) {
	d := &fakeDevice{version: 7, woken: make(chan struct{})}
	if _, err := Open(d); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
	if Self(d) != nil {
		t.Error("Self finds a ProcessState that was not opened")
	}
}

func attach(t *testing.T, ps *ProcessState) *IPCThreadState {
	t.Helper()
	thread, err := ps.Attach()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(thread.Detach)
	return thread
}

func TestTransact(t *testing.T) {
	d, ps := openFake(t)
	thread := attach(t, ps)
	var data, reply parcel.Parcel
	data.WriteInt32(1)
	d.say(code(abi.BR_TRANSACTION_COMPLETE))
	d.say(d.transaction(abi.BR_REPLY, abi.TransactionData{}, 64, "\x2a\x00\x00\x00"))
	if err := thread.Transact(5, 7, &data, &reply, 0); err != nil {
		t.Fatal(err)
	}
	if v, err := reply.ReadInt32(); v != 42 || err != nil {
		t.Errorf("reply %d, %v", v, err)
	}
	reply.Reset()
	d.say(code(abi.BR_TRANSACTION_COMPLETE))
	if err := thread.Transact(5, 8, nil, nil, abi.TF_ONE_WAY); err != nil {
		t.Fatal(err)
	}
	expect(t, d,
		"TRANSACTION 5 code 7 flags 0x10 4B",
		"FREE_BUFFER 64, TRANSACTION 5 code 8 flags 0x11 0B")
}

// TestUnattachedFree: a goroutine outside the pool gives a buffer back at once.
func TestUnattachedFree(t *testing.T) {
	d, ps := openFake(t)
	var reply parcel.Parcel
	d.say(code(abi.BR_TRANSACTION_COMPLETE), d.transaction(abi.BR_REPLY, abi.TransactionData{}, 8, "abcd"))
	p, err := ps.proxy(3, parcel.StabilitySystem)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Transact(1, nil, &reply, 0); err != nil {
		t.Fatal(err)
	}
	reply.Reset()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, d,
		"INCREFS 3, ACQUIRE 3",
		"TRANSACTION 3 code 1 flags 0x10 0B",
		"FREE_BUFFER 8",
		"RELEASE 3, DECREFS 3")
}

func TestTransactErrors(t *testing.T) {
	status := func(d *fakeDevice, s Status) func(*abi.Encoder[abi.Return]) {
		v := abi.Version{ProtocolVersion: int32(s)}
		var b [4]byte
		v.Encode(b[:])
		return d.transaction(abi.BR_REPLY, abi.TransactionData{Flags: abi.TF_STATUS_CODE}, 0, string(b[:]))
	}
	tests := []struct {
		name string
		says func(*fakeDevice) func(*abi.Encoder[abi.Return])
		errs []error
		none []error
	}{
		{"failed", func(d *fakeDevice) func(*abi.Encoder[abi.Return]) {
			d.because = abi.ExtendedError{Command: uint32(abi.BR_FAILED_REPLY), Param: -int32(unix.ENOSPC)}
			return code(abi.BR_FAILED_REPLY)
		}, []error{FailedTransaction, unix.ENOSPC}, []error{DeadObject, ErrFrozen}},
		{"dead", func(*fakeDevice) func(*abi.Encoder[abi.Return]) { return code(abi.BR_DEAD_REPLY) },
			[]error{DeadObject}, []error{FailedTransaction, ErrFrozen}},
		{"frozen", func(*fakeDevice) func(*abi.Encoder[abi.Return]) { return code(abi.BR_FROZEN_REPLY) },
			[]error{FailedTransaction, ErrFrozen}, []error{DeadObject}},
		{"status", func(d *fakeDevice) func(*abi.Encoder[abi.Return]) { return status(d, PermissionDenied) },
			[]error{PermissionDenied}, []error{FailedTransaction}},
		{"driver", func(*fakeDevice) func(*abi.Encoder[abi.Return]) {
			return func(e *abi.Encoder[abi.Return]) { e.Uint32(abi.BR_ERROR, ^uint32(unix.ENOMEM)+1) }
		}, []error{unix.ENOMEM}, nil},
		{"nonsense", func(*fakeDevice) func(*abi.Encoder[abi.Return]) { return code(abi.BR_FINISHED) },
			[]error{unix.EPROTO}, nil},
		{"reply outside the region", func(*fakeDevice) func(*abi.Encoder[abi.Return]) {
			return func(e *abi.Encoder[abi.Return]) {
				e.Transaction(abi.BR_REPLY, &abi.TransactionData{Buffer: 8, DataSize: 8})
			}
		}, []error{unix.EFAULT}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, ps := openFake(t)
			thread := attach(t, ps)
			d.say(tt.says(d))
			var reply parcel.Parcel
			err := thread.Transact(5, 1, nil, &reply, 0)
			for _, want := range tt.errs {
				if !errors.Is(err, want) {
					t.Errorf("%v is not %v", err, want)
				}
			}
			for _, not := range tt.none {
				if errors.Is(err, not) {
					t.Errorf("%v is %v", err, not)
				}
			}
		})
	}
}

func TestInterruptAndPartialWrite(t *testing.T) {
	d, ps := openFake(t)
	thread := attach(t, ps)
	thread.FreeBuffer(d.buffer(8))
	d.interrupt, d.refuse = true, true
	d.say(code(abi.BR_TRANSACTION_COMPLETE))
	if err := thread.Transact(5, 1, nil, nil, abi.TF_ONE_WAY); err != nil {
		t.Fatal(err)
	}
	// The read was interrupted after the first command was taken; the same
	// ioctl again offers the rest.
	expect(t, d, "FREE_BUFFER 8", "TRANSACTION 5 code 1 flags 0x11 0B")
}

func TestOnewaySpam(t *testing.T) {
	suspected := 0
	d, ps := openFake(t, WithOnewaySpam(func() { suspected++ }))
	thread := attach(t, ps)
	d.say(code(abi.BR_ONEWAY_SPAM_SUSPECT))
	if err := thread.Transact(5, 1, nil, nil, abi.TF_ONE_WAY); err != nil || suspected != 1 {
		t.Errorf("suspected %d times, %v", suspected, err)
	}
}

// TestServe: the buffer goes back in the write of the reply, and a status stands
// for an error.
func TestServe(t *testing.T) {
	d, ps := openFake(t)
	b := ps.NewBinder("org.example.ITest", HandlerFunc(func(c *Call) error {
		v, err := c.Data.ReadInt32()
		c.Reply.WriteInt32(v)
		c.Reply.WriteInt32(c.SenderPID)
		return err
	}))
	thread := attach(t, ps)
	tr := abi.TransactionData{Target: b.id, Cookie: b.id, Code: 1, SenderPID: 99}
	d.say(d.transaction(abi.BR_TRANSACTION, tr, 16, "\x01\x00\x00\x00"))
	d.say(code(abi.BR_TRANSACTION_COMPLETE))
	d.say(d.transaction(abi.BR_TRANSACTION, tr, 32, ""))
	d.say(code(abi.BR_TRANSACTION_COMPLETE))
	unknown := abi.TransactionData{Target: 77, Cookie: 77, Code: 1, Flags: abi.TF_CLEAR_BUF}
	d.say(d.transaction(abi.BR_TRANSACTION, unknown, 48, ""))
	d.say(code(abi.BR_TRANSACTION_COMPLETE))
	d.say(d.transaction(abi.BR_TRANSACTION, abi.TransactionData{Cookie: b.id, Flags: abi.TF_ONE_WAY}, 8, ""))
	d.say(code(abi.BR_TRANSACTION_COMPLETE))
	d.say(code(abi.BR_FAILED_REPLY))
	thread.Transact(5, 1, nil, nil, 0)
	expect(t, d,
		"TRANSACTION 5 code 1 flags 0x10 0B",
		"FREE_BUFFER 16, REPLY 0 code 0 flags 0x0 8B",
		"FREE_BUFFER 32, REPLY 0 code 0 flags 0x8 4B",
		"FREE_BUFFER 48, REPLY 0 code 0 flags 0x28 4B",
		"FREE_BUFFER 8")
}

type echoBytes struct{ own []byte }

func (h *echoBytes) OnBytes(call *Call, request []byte) ([]byte, error) {
	if h.own != nil {
		return h.own, nil
	}
	return request, nil
}

// TestServeBytes: a reply that lies in the request's buffer is sent before the
// buffer is freed.
func TestServeBytes(t *testing.T) {
	d, ps := openFake(t)
	h := &echoBytes{}
	b := ps.NewBytesBinder(h)
	thread := attach(t, ps)
	tr := abi.TransactionData{Target: b.id, Cookie: b.id, Code: 1}
	ping := abi.TransactionData{Target: b.id, Cookie: b.id, Code: PingTransaction}
	d.say(d.transaction(abi.BR_TRANSACTION, tr, 16, "0123456789"))
	d.say(code(abi.BR_TRANSACTION_COMPLETE), d.transaction(abi.BR_TRANSACTION, ping, 32, ""))
	d.say(code(abi.BR_TRANSACTION_COMPLETE), code(abi.BR_FAILED_REPLY))
	thread.TransactBytes(5, 1, nil, 0)
	h.own = []byte("12345")
	d.say(d.transaction(abi.BR_TRANSACTION, tr, 64, "0123456789"))
	d.say(code(abi.BR_TRANSACTION_COMPLETE), d.transaction(abi.BR_REPLY, abi.TransactionData{}, 96, "reply"))
	reply, err := thread.TransactBytes(5, 2, []byte("abc"), 0)
	if string(reply) != "reply" || err != nil {
		t.Errorf("got %q, %v", reply, err)
	}
	d.say(code(abi.BR_TRANSACTION_COMPLETE), d.transaction(abi.BR_REPLY, abi.TransactionData{}, 96, "reply"))
	thread.TransactBytes(5, 3, nil, 0)
	expect(t, d,
		"TRANSACTION 5 code 1 flags 0x0 0B",
		"REPLY 0 code 0 flags 0x0 10B",
		"FREE_BUFFER 16, FREE_BUFFER 32, REPLY 0 code 0 flags 0x0 0B",
		"TRANSACTION 5 code 2 flags 0x0 3B",
		"FREE_BUFFER 64, REPLY 0 code 0 flags 0x0 5B",
		"TRANSACTION 5 code 3 flags 0x0 0B, FREE_BUFFER 96")
}

// TestReferences: the driver's counts are confirmed, and what it holds strongly
// stays alive.
func TestReferences(t *testing.T) {
	d, ps := openFake(t)
	b := ps.NewBinder("", nil)
	id := b.id
	thread := attach(t, ps)
	d.say(node(abi.BR_INCREFS, id), node(abi.BR_ACQUIRE, id), node(abi.BR_RELEASE, id), node(abi.BR_ACQUIRE, id),
		code(abi.BR_TRANSACTION_COMPLETE))
	thread.Transact(5, 1, nil, nil, abi.TF_ONE_WAY)
	if ps.locals.nodes[id].held.Load() != b {
		t.Error("the driver's reference does not hold the object")
	}
	d.say(node(abi.BR_RELEASE, id), node(abi.BR_DECREFS, id), code(abi.BR_TRANSACTION_COMPLETE))
	thread.Transact(5, 1, nil, nil, abi.TF_ONE_WAY)
	if ps.locals.nodes[id].held.Load() != nil {
		t.Error("the object is held without a reference")
	}
	expect(t, d,
		"TRANSACTION 5 code 1 flags 0x11 0B",
		"INCREFS_DONE 1, ACQUIRE_DONE 1, ACQUIRE_DONE 1, TRANSACTION 5 code 1 flags 0x11 0B")
}

func TestProxyCache(t *testing.T) {
	d, ps := openFake(t)
	p, _ := ps.proxy(3, parcel.StabilitySystem)
	again, _ := ps.proxy(3, parcel.StabilitySystem)
	if p != again {
		t.Error("two Proxies of one handle")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	expect(t, d, "INCREFS 3, ACQUIRE 3")
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("closed once too often: %v", err)
	}
	if err := p.Ping(); !errors.Is(err, ErrClosed) {
		t.Errorf("call of a closed Proxy: %v", err)
	}
	expect(t, d, "RELEASE 3, DECREFS 3")
}

// TestWrittenProxy: a Parcel keeps the Proxy that was written into it open.
func TestWrittenProxy(t *testing.T) {
	d, ps := openFake(t)
	p, _ := ps.proxy(3, parcel.StabilitySystem)
	var data parcel.Parcel
	WriteStrongBinder(&data, p)
	p.Close()
	expect(t, d, "INCREFS 3, ACQUIRE 3")
	data.Reset()
	expect(t, d, "RELEASE 3, DECREFS 3")
	WriteStrongBinder(&data, p)
	if _, _, err := data.ReadBinder(); !errors.Is(err, parcel.ErrNull) {
		t.Errorf("a closed Proxy is written as something: %v", err)
	}
}

func TestDeath(t *testing.T) {
	d, ps := openFake(t)
	thread := attach(t, ps)
	p, _ := ps.proxy(3, parcel.StabilitySystem)
	var died []string
	first, _ := p.LinkToDeath(func() { died = append(died, "first") })
	p.LinkToDeath(func() { died = append(died, "second") })
	third, _ := p.LinkToDeath(func() { died = append(died, "third") })
	if !third.Unlink() || third.Unlink() {
		t.Error("Unlink of a live link")
	}
	d.say(cookie(abi.BR_DEAD_BINDER, 1))
	d.say(cookie(abi.BR_CLEAR_DEATH_NOTIFICATION_DONE, 1), code(abi.BR_TRANSACTION_COMPLETE))
	thread.Transact(5, 1, nil, nil, abi.TF_ONE_WAY)
	expect(t, d,
		"INCREFS 3, ACQUIRE 3",
		"REQUEST_DEATH_NOTIFICATION 3 1",
		"TRANSACTION 5 code 1 flags 0x11 0B",
		"CLEAR_DEATH_NOTIFICATION 3 1, DEAD_BINDER_DONE 1")
	if !slices.Equal(died, []string{"first", "second"}) {
		t.Errorf("told %v", died)
	}
	if p.Alive() || first.Unlink() {
		t.Error("the Proxy lives, or a link that was told can be undone")
	}
	if _, err := p.LinkToDeath(func() {}); !errors.Is(err, DeadObject) {
		t.Errorf("link to the dead: %v", err)
	}
	if err := p.Ping(); !errors.Is(err, DeadObject) {
		t.Errorf("ping of the dead: %v", err)
	}
	if len(ps.deaths.byCookie) != 0 {
		t.Error("the request is not forgotten")
	}
}

// TestUnlinkLast: the last Unlink takes the request back, and Close the one
// that a later link made.
func TestUnlinkLast(t *testing.T) {
	d, ps := openFake(t)
	p, _ := ps.proxy(3, parcel.StabilitySystem)
	link, _ := p.LinkToDeath(func() {})
	link.Unlink()
	p.LinkToDeath(func() {})
	p.Close()
	expect(t, d,
		"INCREFS 3, ACQUIRE 3",
		"REQUEST_DEATH_NOTIFICATION 3 1",
		"CLEAR_DEATH_NOTIFICATION 3 1",
		"REQUEST_DEATH_NOTIFICATION 3 2",
		"CLEAR_DEATH_NOTIFICATION 3 2", "RELEASE 3, DECREFS 3")
}

// TestPool: the first looper enters, those that the driver asks for register,
// and Close sends all home.
func TestPool(t *testing.T) {
	started := make(chan *IPCThreadState, 2)
	exited := make(chan *IPCThreadState, 2)
	d, ps := openFake(t, WithLooperHooks(
		func(t *IPCThreadState) { started <- t },
		func(t *IPCThreadState) { exited <- t }))
	if err := ps.StartThreadPool(); err != nil {
		t.Fatal(err)
	}
	<-started
	d.say(code(abi.BR_SPAWN_LOOPER))
	<-started
	d.await("REGISTER_LOOPER")
	if err := ps.Close(); err != nil {
		t.Fatal(err)
	}
	if len(exited) != 2 || ps.Spawned() != 1 {
		t.Errorf("%d loopers exited, %d were asked for", len(exited), ps.Spawned())
	}
	told := d.told()
	slices.Sort(told)
	want := []string{"ENTER_LOOPER", "EXIT_LOOPER", "EXIT_LOOPER", "REGISTER_LOOPER"}
	slices.Sort(want)
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("what the driver was told (-want +got):\n%s", diff)
	}
	exits := 0
	for _, i := range d.ioctls {
		if i == abi.BINDER_THREAD_EXIT {
			exits++
		}
	}
	if exits != 2 {
		t.Errorf("%d threads left the driver, want 2", exits)
	}
	if err := ps.StartThreadPool(); !errors.Is(err, ErrClosed) {
		t.Errorf("start after close: %v", err)
	}
}

// TestCloseInterruptsCall: a call that waits for its reply ends with Close.
func TestCloseInterruptsCall(t *testing.T) {
	d, ps := openFake(t)
	p, _ := ps.proxy(3, parcel.StabilitySystem)
	result := make(chan error)
	go func() { result <- p.Ping() }()
	d.await("TRANSACTION")
	go ps.Close()
	if err := <-result; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}

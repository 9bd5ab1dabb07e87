package harness

import (
	"errors"
	"testing"

	"ipcbench/harness/pacing"
	"ipcbench/harness/record"
	"ipcbench/harness/workload"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// echoClient answers from a handler in the same thread.
type echoClient struct {
	handler *handler
	spoil   func([]byte)
	reply   []byte
}

func (c *echoClient) Buffer(n int) (*ipc.Buffer, error) { return ipc.NewBuffer(n) }
func (c *echoClient) Ledger() *copies.Ledger            { return copies.NewLedger(copies.Reply) }
func (c *echoClient) Stop() error                       { return nil }
func (c *echoClient) Close() error                      { return nil }
func (c *echoClient) Send(b *ipc.Buffer) error          { c.handler.Handle(b.Bytes(), true); return nil }
func (c *echoClient) Call(b *ipc.Buffer) ([]byte, error) {
	c.reply = append(c.reply[:0], c.handler.Handle(b.Bytes(), false).Bytes()...)
	if c.spoil != nil {
		c.spoil(c.reply)
	}
	return c.reply, nil
}

func newOperator(t *testing.T, s session, spoil func([]byte)) (*operator, *echoClient) {
	t.Helper()
	v := newService(s, false, &replies{buffers: map[ipc.Thread]*ipc.Buffer{}, size: s.Reply})
	c := &echoClient{spoil: spoil, reply: make([]byte, 0, s.Reply)}
	h, err := v.NewHandler(c)
	if err != nil {
		t.Fatal(err)
	}
	c.handler = h.(*handler)
	request, err := ipc.NewBuffer(s.Request)
	if err != nil {
		t.Fatal(err)
	}
	return &operator{session: s, client: c, request: request, clock: pacing.NewClock(), recorder: record.New()}, c
}

var modes = []mode{timedMode, verifyMode, canaryMode}

// payloads around the sizes at which the loops change: a stamp, a line.
var payloads = []int{0, 1, 7, 8, 9, 15, 16, 63, 64, 65, 100, 127, 128, 4096, 4099}

func TestHonestWorkHasNoMismatch(t *testing.T) {
	for _, m := range modes {
		for _, request := range payloads {
			for _, reply := range payloads {
				o, c := newOperator(t, session{Mode: m, Request: request, Reply: reply, Operations: 20, Seed: 12345}, nil)
				if _, _, err := o.timed(); err != nil {
					t.Fatal(err)
				}
				if o.mismatches != 0 || c.handler.mismatches != 0 || o.operations != 20 {
					t.Errorf("%s, %d and %d bytes: %d mismatches at the client, %d at the server, %d operations",
						m, request, reply, o.mismatches, c.handler.mismatches, o.operations)
				}
			}
		}
	}
}

// TestSpoiltReplyIsNoticed changes single bytes. Verified and canary work notice
// any; timed work looks at the first 8 bytes of each line.
func TestSpoiltReplyIsNoticed(t *testing.T) {
	for _, m := range modes {
		for _, size := range payloads[1:] {
			for at := range size {
				if m == timedMode && at%workload.Line >= 8 {
					continue
				}
				o, _ := newOperator(t, session{Mode: m, Request: 64, Reply: size, Operations: 1, Seed: 9},
					func(reply []byte) { reply[at] ^= 0x40 })
				if _, _, err := o.timed(); err != nil {
					t.Fatal(err)
				}
				if o.mismatches != 1 {
					t.Errorf("%s, %d bytes: byte %d was changed and nobody noticed", m, size, at)
				}
				o.request.Free()
			}
		}
	}
}

// TestSpoiltRequestIsNoticed changes one byte of a request between the two ends.
// Timed work needs two lines to notice: the server learns the stamp from the first.
func TestSpoiltRequestIsNoticed(t *testing.T) {
	for _, m := range modes {
		const size, at = 4096, 2 * workload.Line
		v := newService(session{Mode: m, Request: size, Seed: 9}, false, &replies{buffers: map[ipc.Thread]*ipc.Buffer{}})
		made, err := v.NewHandler(&echoClient{})
		if err != nil {
			t.Fatal(err)
		}
		o, _ := newOperator(t, session{Mode: m, Request: size, Seed: 9}, nil)
		o.produce()
		o.request.Bytes()[at] ^= 0x40
		made.Handle(o.request.Bytes(), false)
		made.Handle(o.request.Bytes()[:size-1], false)
		if h := made.(*handler); h.mismatches != 2 {
			t.Errorf("%s: %d mismatches of a spoilt and a short request", m, h.mismatches)
		}
	}
}

func TestShortReplyIsAnError(t *testing.T) {
	o, c := newOperator(t, session{Mode: timedMode, Request: 64, Reply: 64, Operations: 1}, nil)
	c.handler.reply.Resize(63)
	if _, _, err := o.timed(); !errors.Is(err, ipc.ErrProtocol) {
		t.Errorf("error %v", err)
	}
}

func TestOneWayBurst(t *testing.T) {
	o, c := newOperator(t, session{Mode: verifyMode, OneWay: true, Request: 100, Operations: 1}, nil)
	if _, _, err := o.timed(); err != nil {
		t.Fatal(err)
	}
	burst := uint64(workload.Burst(100))
	if o.operations != burst || c.handler.handled != burst || o.recorder.Operations != burst {
		t.Errorf("%d sent, %d handled, %d recorded, want %d", o.operations, c.handler.handled, o.recorder.Operations, burst)
	}
}

// TestWorkDoesNotAllocate shows that the clock holds no allocation, at either
// end.
func TestWorkDoesNotAllocate(t *testing.T) {
	for _, m := range []mode{timedMode, verifyMode} {
		o, _ := newOperator(t, session{Mode: m, Request: 4096, Reply: 4096}, nil)
		pacer := pacing.New(o.clock, 0, 0)
		if n := testing.AllocsPerRun(100, func() { o.run(pacer, 0, 1, true) }); n != 0 {
			t.Errorf("%s: %v allocations an operation", m, n)
		}
	}
}

func BenchmarkWork(b *testing.B) {
	p, q := make([]byte, 4096), make([]byte, 4096)
	for i := range b.N {
		workload.Produce(p, uint64(i))
		copy(q, p)
		if !workload.Consume(q, uint64(i)) {
			b.Fatal("stamp")
		}
	}
}

package stream

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

var testSites = Sites{
	Read:  copies.NewSite("test/read", copies.Kernel),
	Write: copies.NewSite("test/write", copies.Kernel),
}

// recorded stands behind an End that reads what was recorded, in pieces of the given sizes
// over and over, and records what is written, at most piece bytes at a time.
type recorded struct {
	bytes.Buffer
	pieces []int
	reads  int
	piece  int
}

func (r *recorded) Read(p []byte) (int, error) {
	if len(r.pieces) > 0 {
		p = p[:min(len(p), max(1, r.pieces[r.reads%len(r.pieces)]))]
	}
	r.reads++
	return r.Buffer.Read(p)
}

func (r *recorded) Write(p []byte) (int, error) {
	if r.piece > 0 {
		p = p[:min(len(p), r.piece)]
	}
	return r.Buffer.Write(p)
}

func (r *recorded) End() End {
	return End{
		Entry: Entry{
			Read:  func(_ int, p []byte) (int, error) { return r.Read(p) },
			Write: func(_ int, p []byte) (int, error) { return r.Write(p) },
		},
		Wake:  func() {},
		Close: func() error { return nil },
	}
}

func newConn(t testing.TB, end *recorded, limit int) *conn {
	t.Helper()
	in, err := newInbox(limit)
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{
		end: end.End(), ledger: copies.NewLedger(copies.Request), sites: testSites,
		inbox: in, bare: ipc.LentBuffer(make([]byte, ipc.Headroom)), maxOut: limit, maxIn: limit,
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestPieces sends messages in pieces and receives them in others, many of them
// with several messages at once.
func TestPieces(t *testing.T) {
	const limit, messages = 100_000, 60
	r := rand.New(rand.NewPCG(1, 2))
	for _, pieces := range [][]int{nil, {1}, {7, 3000}, {63}, {64}, {65, 1 << 20}, {readAhead}, {128}} {
		end := &recorded{pieces: pieces, piece: 1 + r.IntN(9000)}
		c := newConn(t, end, limit)
		b, err := c.Buffer(limit)
		if err != nil {
			t.Fatal(err)
		}
		var want [][]byte
		total := 0
		for i := range messages {
			b.Resize([]int{0, 64, r.IntN(5000), r.IntN(limit + 1)}[r.IntN(4)])
			for k := range b.Bytes() {
				b.Bytes()[k] = byte(r.Uint32())
			}
			want = append(want, bytes.Clone(b.Bytes()))
			total += b.Len()
			if err := c.Send(ipc.Header{Length: uint32(b.Len()), Sequence: uint64(i)}, b); err != nil {
				t.Fatal(err)
			}
		}
		for i := range messages {
			h, got, err := c.Recv()
			if err != nil || h.Sequence != uint64(i) || !bytes.Equal(got, want[i]) {
				t.Fatalf("pieces %v: message %d of %d bytes arrived as %d, %d bytes: %v",
					pieces, i, len(want[i]), h.Sequence, len(got), err)
			}
		}
		report := c.ledger.Report()
		for _, d := range []copies.Direction{copies.Request, copies.Reply} {
			if got := report.Payload(d); got != uint64(total) {
				t.Errorf("pieces %v: %s: %d payload bytes counted of %d", pieces, d, got, total)
			}
		}
		if got := report.Header(); got != 2*messages*HeaderSize {
			t.Errorf("pieces %v: %d header bytes counted", pieces, got)
		}
		if _, _, err := c.Recv(); !errors.Is(err, ipc.ErrPeerGone) {
			t.Errorf("after the last message: %v", err)
		}
	}
}

// TestPayloadOnPage expects the payload of a message that comes alone where a
// page begins.
func TestPayloadOnPage(t *testing.T) {
	in, err := newInbox(100)
	if err != nil {
		t.Fatal(err)
	}
	defer in.free()
	if page := &in.memory[4096]; &in.room(HeaderSize)[HeaderSize] != page {
		t.Error("the payload does not start on a page")
	}
}

// TestRecordGoesOn expects a record that is longer than its message to be
// refused, where messages end with records.
func TestRecordGoesOn(t *testing.T) {
	end := &recorded{}
	c := newConn(t, end, 100)
	c.record = 64
	header := make([]byte, HeaderSize)
	ipc.Header{Length: 4}.Put(header)
	end.Buffer.Write(append(header, "four and more"...))
	if _, _, err := c.Recv(); !errors.Is(err, ipc.ErrProtocol) {
		t.Errorf("%v", err)
	}
	if _, _, err := c.Recv(); !errors.Is(err, ipc.ErrProtocol) {
		t.Errorf("the failure is forgotten: %v", err)
	}
}

// FuzzRecv gives a connection any bytes in any pieces: it returns messages that
// fit, and then one of the contract's errors, for good.
func FuzzRecv(f *testing.F) {
	header := make([]byte, HeaderSize)
	ipc.Header{Length: 3, Sequence: 1}.Put(header)
	f.Add(append(header, "abc"...), uint8(5))
	f.Add(bytes.Repeat(header, 4), uint8(200))
	f.Add(bytes.Repeat([]byte{0xff}, 40), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		end := &recorded{pieces: []int{int(piece)}}
		end.Buffer.Write(b)
		c := newConn(t, end, 1000)
		defer c.Close()
		consumed := 0
		for {
			h, payload, err := c.Recv()
			if err != nil {
				if !errors.Is(err, ipc.ErrProtocol) && !errors.Is(err, ipc.ErrPeerGone) {
					t.Fatalf("an error of no contract: %v", err)
				}
				return
			}
			consumed += HeaderSize + len(payload)
			if len(payload) > 1000 || int(h.Length) != len(payload) || consumed > len(b) {
				t.Fatalf("%d bytes of a message of %d, %d consumed of %d", len(payload), h.Length, consumed, len(b))
			}
		}
	})
}

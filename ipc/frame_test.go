package ipc_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"ipcbench/ipc"
)

func TestHeaderRoundTrip(t *testing.T) {
	for _, want := range []ipc.Header{
		{},
		{Length: 1, Flags: ipc.OneWay, Sequence: 1},
		{Length: 4 << 20, Flags: ipc.Stop, Sequence: math.MaxUint64},
	} {
		b := make([]byte, ipc.HeaderSize)
		want.Put(b)
		got, err := ipc.ParseHeader(b, 4<<20)
		if err != nil || got != want {
			t.Errorf("got %+v (%v), want %+v", got, err, want)
		}
	}
}

func TestHeaderLayout(t *testing.T) {
	b := make([]byte, ipc.HeaderSize)
	ipc.Header{Length: 0x01020304, Flags: ipc.Stop, Sequence: 0x0506}.Put(b)
	want := []byte{4, 3, 2, 1, 2, 0, 0, 0, 6, 5, 0, 0, 0, 0, 0, 0}
	if !bytes.Equal(b, want) {
		t.Errorf("% x, want % x", b, want)
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	encoded := func(h ipc.Header) []byte {
		b := make([]byte, ipc.HeaderSize)
		h.Put(b)
		return b
	}
	for name, b := range map[string][]byte{
		"nothing":   nil,
		"short":     make([]byte, ipc.HeaderSize-1),
		"too large": encoded(ipc.Header{Length: 1001}),
		"huge":      encoded(ipc.Header{Length: math.MaxUint32}),
		"flags":     encoded(ipc.Header{Flags: 1 << 7}),
	} {
		if _, err := ipc.ParseHeader(b, 1000); !errors.Is(err, ipc.ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParseHeader expects whatever is accepted to keep the promises that a
// receiver relies on, and to encode to the same bytes.
func FuzzParseHeader(f *testing.F) {
	f.Add(make([]byte, ipc.HeaderSize), 0)
	f.Add(bytes.Repeat([]byte{0xff}, 20), math.MaxInt32)
	f.Add([]byte("short"), 10)
	f.Fuzz(func(t *testing.T, b []byte, limit int) {
		h, err := ipc.ParseHeader(b, limit)
		if err != nil {
			if !errors.Is(err, ipc.ErrProtocol) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if int64(h.Length) > int64(limit) {
			t.Fatalf("length %d above the limit %d", h.Length, limit)
		}
		again := make([]byte, ipc.HeaderSize)
		h.Put(again)
		if !bytes.Equal(again, b[:ipc.HeaderSize]) {
			t.Fatalf("% x became % x", b[:ipc.HeaderSize], again)
		}
	})
}

package control

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

type message struct{ Text string }

func TestThereAndBack(t *testing.T) {
	near, inherited, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	far := Open(inherited)
	sent := message{strings.Repeat("word ", 100_000)}
	failed := make(chan error, 1)
	go func() { failed <- near.Send(sent) }()
	var got message
	if err := far.Receive(&got, time.Minute); err != nil || got != sent {
		t.Errorf("received %d bytes: %v", len(got.Text), err)
	}
	if err := <-failed; err != nil {
		t.Error(err)
	}
	if err := far.Receive(&got, time.Nanosecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("silence: %v", err)
	}
	near.Close()
	if err := far.Receive(&got, 0); !errors.Is(err, io.EOF) {
		t.Errorf("end of the line: %v", err)
	}
	far.Close()
}

func TestDamagedMessages(t *testing.T) {
	long := binary.LittleEndian.AppendUint32(nil, MaxMessage+1)
	for name, c := range map[string]struct {
		bytes []byte
		want  error
	}{
		"empty":     {nil, io.EOF},
		"cut head":  {[]byte{1, 0}, io.ErrUnexpectedEOF},
		"too long":  {long, ErrDamaged},
		"cut body":  {[]byte{9, 0, 0, 0, '{'}, io.ErrUnexpectedEOF},
		"not JSON":  {[]byte{1, 0, 0, 0, '{'}, ErrDamaged},
		"other key": {[]byte("\x02\x00\x00\x00[]"), ErrDamaged},
	} {
		if err := Decode(bytes.NewReader(c.bytes), &message{}); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	good, _ := Encode(message{"text"})
	f.Add(good)
	f.Add([]byte{255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m message
		if Decode(bytes.NewReader(b), &m) != nil {
			return
		}
		again, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		var back message
		if err := Decode(bytes.NewReader(again), &back); err != nil || back != m {
			t.Errorf("%q became %q: %v", m, back, err)
		}
	})
}

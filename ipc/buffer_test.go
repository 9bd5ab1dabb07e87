package ipc_test

import (
	"errors"
	"os"
	"testing"

	"ipcbench/ipc"
)

func TestBuffer(t *testing.T) {
	for _, n := range []int{0, 1, 4096, 100000} {
		b, err := ipc.NewBuffer(n)
		if err != nil {
			t.Fatal(err)
		}
		if b.Len() != n || b.Cap() != n || len(b.Bytes()) != n {
			t.Errorf("buffer of %d: length %d, capacity %d", n, b.Len(), b.Cap())
		}
		if front := b.Front(ipc.Headroom); len(front) != ipc.Headroom+n {
			t.Errorf("buffer of %d with its headroom: %d bytes", n, len(front))
		}
		b.Resize(n / 2)
		if len(b.Bytes()) != n/2 || b.Cap() != n {
			t.Errorf("resized to %d: length %d, capacity %d", n/2, b.Len(), b.Cap())
		}
		for range 2 {
			if err := b.Free(); err != nil {
				t.Errorf("free: %v", err)
			}
		}
	}
}

func TestBufferFrontIsContiguous(t *testing.T) {
	b, err := ipc.NewBuffer(os.Getpagesize())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Free()
	b.Bytes()[0] = 7
	if front := b.Front(16); front[16] != 7 || &front[16] != &b.Bytes()[0] {
		t.Error("the payload does not follow its headroom")
	}
}

func TestBufferRefuses(t *testing.T) {
	for _, n := range []int{-1, ipc.MaxPayload + 1} {
		if _, err := ipc.NewBuffer(n); !errors.Is(err, ipc.ErrTooLarge) {
			t.Errorf("buffer of %d bytes: %v", n, err)
		}
	}
	b := ipc.LentBuffer(make([]byte, ipc.Headroom+10))
	for _, n := range []int{-1, 11} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("resize of 10 bytes to %d: no panic", n)
				}
			}()
			b.Resize(n)
		}()
	}
}

func TestLentBuffer(t *testing.T) {
	memory := make([]byte, ipc.Headroom+10)
	b := ipc.LentBuffer(memory)
	if b.Len() != 10 || &b.Bytes()[0] != &memory[ipc.Headroom] {
		t.Errorf("length %d, or not the memory lent", b.Len())
	}
	if err := b.Free(); err != nil || b.Len() != 10 {
		t.Errorf("free: %v, and %d bytes are left", err, b.Len())
	}
}

package ipc_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"ipcbench/ipc"
)

func TestGateShutWaitsForWhoIsInside(t *testing.T) {
	var g ipc.Gate
	if err := g.Enter(); err != nil {
		t.Fatal(err)
	}
	var woken, left atomic.Bool
	inside := make(chan struct{})
	go func() {
		defer close(inside)
		for !g.IsShut() || !woken.Load() {
		}
		left.Store(true)
		g.Leave()
	}()
	if !g.Shut(func() { woken.Store(true) }) {
		t.Error("the first Shut was not the one that shut it")
	}
	if !left.Load() {
		t.Error("Shut returned with somebody inside")
	}
	<-inside
	if g.Shut(func() { t.Error("wake of an empty gate") }) {
		t.Error("shut twice")
	}
	if err := g.Enter(); !errors.Is(err, ipc.ErrClosed) {
		t.Errorf("enter a shut gate: %v", err)
	}
}

func TestGateLetsPassAgain(t *testing.T) {
	var g ipc.Gate
	for range 3 {
		if err := g.Enter(); err != nil {
			t.Fatal(err)
		}
		g.Leave()
	}
	if g.IsShut() {
		t.Error("shut by itself")
	}
}

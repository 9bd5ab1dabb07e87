package driver

import (
	"runtime/debug"
	"slices"
	"testing"

	"ipcbench/ipc/binder/abi"
)

// TestTerse: a thread that asked for it is not told that its reply was sent: the read
// that sends it waits for the next call. That the reply cannot be sent it is told.
func TestTerse(t *testing.T) {
	for _, terse := range []bool{false, true} {
		w := newWorld(t, 2)
		server, client := w.peers[0], w.peers[1]
		server.claim()
		if terse {
			if err := server.p.SetTerse(server.pid); err != nil {
				t.Fatal(err)
			}
			if debug.SetPanicOnFault(false) {
				t.Error("the caller's own faults are panics from now on")
			}
		}
		for range 2 {
			if err := client.send(abi.BC_TRANSACTION, 0, 0); err != nil {
				t.Fatal(err)
			}
			server.take()
			if err := server.send(abi.BC_REPLY, 0, 0); err != nil {
				t.Fatal(err)
			}
			want := []abi.Return{abi.BR_TRANSACTION_COMPLETE}
			if terse {
				want = nil
			}
			if got := server.read(); !slices.Equal(got, want) {
				t.Errorf("terse %v: after a reply the server reads %v, want %v", terse, got, want)
			}
			client.take()
		}
		if err := server.send(abi.BC_REPLY, 0, 0); err != nil {
			t.Fatal(err)
		}
		if got, want := server.read(), []abi.Return{abi.BR_FAILED_REPLY}; !slices.Equal(got, want) {
			t.Errorf("terse %v: after a reply to no call the server reads %v, want %v", terse, got, want)
		}
		w.check("after replies")
	}
}

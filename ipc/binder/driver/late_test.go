package driver

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"ipcbench/ipc/binder/abi"
)

// TestSendBeforeFree: who sends, frees a buffer and reads in one call has woken the
// sleeping receiver and is armed for the answer when it comes to freeing; and still
// gets the answer, and gives the buffer back.
func TestSendBeforeFree(t *testing.T) {
	w := newWorld(t, 2)
	server, client := w.peers[0], w.peers[1]
	server.claim()
	exchange := func(call func() error) {
		t.Helper()
		if err := call(); err != nil {
			t.Fatal(err)
		}
		server.take()
		if err := server.free(); err != nil {
			t.Fatal(err)
		}
		if err := server.send(abi.BC_REPLY, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	exchange(func() error { return client.send(abi.BC_TRANSACTION, 0, 0) })
	client.take()
	server.read() // the completion of the reply

	asleep := func() bool { return server.thread().rec.wait.Word().Load()&1 != 0 }
	var freed atomic.Int32
	client.d.Trace(func(e Event) {
		if e.Kind == EventFree {
			freed.Add(1)
			if asleep() || !client.thread().rec.armed {
				t.Error("the sender frees before it has woken the receiver, or is not armed")
			}
		}
	})
	server.p.SetNonblock(false)
	client.p.SetNonblock(false)
	var receiver, sender sync.WaitGroup
	receiver.Go(func() {
		if err := server.call(nil, 256); err != nil {
			t.Errorf("the receiver reads: %v", err)
		}
	})
	for !asleep() {
		runtime.Gosched()
	}
	sender.Go(func() {
		var buf [256]byte
		e := abi.NewEncoder[abi.Command](buf[:])
		e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{DataSize: 8, Buffer: atPayload})
		e.Uint64(abi.BC_FREE_BUFFER, client.tr.Buffer)
		if err := client.call(e.Bytes(), 256); err != nil {
			t.Errorf("the sender: %v", err)
		}
	})
	receiver.Wait()
	for freed.Load() == 0 {
		runtime.Gosched()
	}
	server.p.SetNonblock(true)
	if err := server.send(abi.BC_REPLY, 0, 0); err != nil {
		t.Fatal(err)
	}
	sender.Wait()
	if n := len(client.codes); n == 0 || client.codes[n-1] != abi.BR_REPLY || freed.Load() != 1 {
		t.Errorf("the sender reads %v and has freed %d buffers", client.codes, freed.Load())
	}
	w.check("after the answer")
}

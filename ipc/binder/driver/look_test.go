package driver

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// TestOneIdleThreadLooks: of the threads of a pool that spin only the one looks
// that the next call goes to, and when it has got one, the call after that still
// finds a thread.
func TestOneIdleThreadLooks(t *testing.T) {
	w := newWorld(t, 3)
	server, clients := w.peers[0], w.peers[1:]
	server.claim()
	server.p.SetNonblock(false)
	server.p.SetWait(WaitSpin)
	var wg sync.WaitGroup
	read := func(tid int32) *Thread {
		at := userBase + uint64(tid)*0x100
		bwr := abi.WriteRead{ReadSize: 256, ReadBuffer: atReturns + uint64(tid)*0x100}
		ioctl := func() error {
			bwr.Encode(server.user[at-userBase:])
			return server.p.Ioctl(tid, abi.BINDER_WRITE_READ, at)
		}
		_ = ioctl() // the first read of a fresh thread only returns
		wg.Go(func() {
			if err := ioctl(); err != nil {
				t.Errorf("thread %d: %v", tid, err)
			}
		})
		th, _ := server.p.threads.Load(tid)
		return th.(*Thread)
	}
	idle := func(th *Thread) (is bool) {
		_ = server.d.member.Do(func(*arena.Tx) error { is = th.rec.idle; return nil })
		return is
	}
	asleep := func(th *Thread) bool { return th.rec.wait.Word().Load()&1 != 0 }
	until := func(what func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !what(); runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatal("it does not come to that")
			}
		}
	}
	older := read(2)
	until(func() bool { return idle(older) })
	newer := read(3)
	until(func() bool { return idle(newer) && asleep(older) })
	if asleep(newer) {
		t.Error("the thread that the next call goes to sleeps")
	}
	for i, th := range []*Thread{newer, older} {
		if err := clients[i].send(abi.BC_TRANSACTION, 0, 0); err != nil {
			t.Fatal(err)
		}
		until(func() bool { return !idle(th) })
	}
	wg.Wait()
}

package transport

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"ipcbench/ipc"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/copies"
)

// serving is a thread of a server's pool.
func serving(s *server) *thread {
	return &thread{server: s, account: account{ledger: copies.NewLedger(copies.Reply)}}
}

// TestDrain: so many threads wait for what clients sent one-way as can be spared, and
// none when the session is broken off.
func TestDrain(t *testing.T) {
	s := &server{transport: &transport{}, spare: 1}
	waited := make(chan error, 1)
	go func() { waited <- serving(s).drain(0, 1) }()
	for !s.backlogs[0].asleep.Load() {
		runtime.Gosched()
	}
	if err := serving(s).drain(1, 0); err != nil {
		t.Errorf("there is nothing to wait for: %v", err)
	}
	refused := make(chan error, 1)
	go func() { refused <- serving(s).drain(1, 1) }()
	within := func(what string, ended <-chan error, want error) {
		t.Helper()
		select {
		case err := <-ended:
			if !errors.Is(err, want) {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s waits for ever", what)
		}
	}
	within("a thread that cannot be spared", refused, binder.WouldBlock)
	s.end(ipc.ErrPeerGone)
	within("a thread whose session is over", waited, nil)
}

// untouched is a handler that nothing comes to.
type untouched struct{ ipc.Handler }

// TestRefusedCalls: what is no call of this session's, or too large for it, comes to no
// handler.
func TestRefusedCalls(t *testing.T) {
	th := serving(&server{cfg: ipc.Config{MaxRequest: 64}})
	for name, c := range map[string]struct {
		handler ipc.Handler
		code    uint32
		size    int
	}{
		"no session": {nil, code(kindCall, 0, 0), 64},
		"no call":    {untouched{}, code(0, 1, 0), 64},
		"too large":  {untouched{}, code(kindCall, 0, 0), 65},
	} {
		th.handler = c.handler
		if _, err := th.handle(&binder.Call{Code: c.code}, make([]byte, c.size)); !errors.Is(err, binder.BadValue) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package server_test

import (
	"testing"

	"ipcbench/ipc/binder"
)

// TestAllocs: a call allocates nothing, neither in the caller nor in the daemon,
// which are both this process.
func TestAllocs(t *testing.T) {
	d := startHere(t)
	service := part(t, serviceVariable, d.socket)
	defer service.Kill()
	client, err := binder.Open(d.device())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	thread, err := client.Attach()
	if err != nil {
		t.Fatal(err)
	}
	defer thread.Detach()
	payload := make([]byte, 64)
	n := testing.AllocsPerRun(500, func() {
		if _, err := thread.TransactBytes(0, echoCode, payload, 0); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

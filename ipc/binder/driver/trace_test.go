package driver

import (
	"slices"
	"testing"

	"ipcbench/ipc/binder/abi"
)

// TestTrace: a call and its reply pass through all steps in order, each made by
// the thread of who makes it, in the region of who receives.
func TestTrace(t *testing.T) {
	w := newWorld(t, 2)
	server, client := w.peers[0], w.peers[1]
	server.claim()
	type step struct {
		kind          EventKind
		thread, owner int32
	}
	var got []step
	for _, p := range w.peers {
		p.d.Trace(func(e Event) {
			if e.Size != 8 || e.Buffer != regionBase {
				t.Errorf("step %d: %d bytes at %#x", e.Kind, e.Size, e.Buffer)
			}
			got = append(got, step{e.Kind, e.Thread, e.Owner})
		})
	}
	if err := client.send(abi.BC_TRANSACTION, 0, 0); err != nil {
		t.Fatal(err)
	}
	server.take()
	if err := server.free(); err != nil {
		t.Fatal(err)
	}
	if err := server.send(abi.BC_REPLY, 0, 0); err != nil {
		t.Fatal(err)
	}
	client.take()
	if err := client.free(); err != nil {
		t.Fatal(err)
	}
	s, c := server.pid, client.pid
	want := []step{
		{EventAllocate, c, s}, {EventCopy, c, s}, {EventQueue, c, s}, {EventRead, s, s}, {EventFree, s, s},
		{EventAllocate, s, c}, {EventCopy, s, c}, {EventQueue, s, c}, {EventRead, c, c}, {EventFree, c, c},
	}
	if !slices.Equal(got, want) {
		t.Errorf("steps %v, want %v", got, want)
	}
}

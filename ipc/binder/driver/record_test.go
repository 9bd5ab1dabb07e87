package driver

import (
	"testing"

	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// TestLines: what the sender and the receiver of a call both change lies on few
// cache lines, and a thread sleeps on a line that the lock's holders leave alone.
func TestLines(t *testing.T) {
	for _, r := range []struct {
		name string
		size int
	}{
		{"transaction", arena.SizeOf[transactionState]()},
		{"space", arena.SizeOf[alloc.Space]()},
		{"thread", arena.SizeOf[threadState]()},
		{"node", arena.SizeOf[nodeState]()},
		{"proc", arena.SizeOf[procState]()},
	} {
		if r.size > arena.LineSize {
			t.Errorf("%s: each call saves %d bytes, want at most %d", r.name, r.size, arena.LineSize)
		}
	}
}

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
		name        string
		size, lines int
	}{
		{"transaction", arena.SizeOf[transactionState](), 1},
		{"space", arena.SizeOf[alloc.Space](), 1},
		{"thread", arena.SizeOf[threadState](), 2},
		{"node", arena.SizeOf[nodeState](), 2},
		{"proc", arena.SizeOf[procState](), 2},
	} {
		if most := r.lines * arena.LineSize; r.size > most {
			t.Errorf("%s: %d bytes are journaled, want at most %d", r.name, r.size, most)
		}
	}
}

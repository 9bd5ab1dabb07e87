package driver

import (
	"testing"

	"ipcbench/ipc/binder/driver/arena"
)

// TestEveryChangeIsSaved plays the script, and all talks, and has each transaction
// checked for records that it changes without saving them first.
func TestEveryChangeIsSaved(t *testing.T) {
	audited := func() *world {
		w := newWorld(t, 4)
		step := arena.Audit(w.mem, Kinds, func(err error) { t.Error(err) })
		for _, p := range w.peers {
			p.step = step
		}
		w.peers[0].claim()
		return w
	}
	w := audited()
	for _, line := range script {
		line.run(w.peers[0], w.peers[1], w.peers[3])
	}
	w.bury(w.peers[1], w.peers[2])
	w.peers[0].drain()
	w.check("played")
	for _, k := range talks() {
		w := audited()
		w.sleep.quick = k.quick
		w.peers[0].run(func() { w.peers[0].serves(k.manner) })
		w.peers[1].run(func() { w.peers[1].calls(3, k.manner) })
		w.settle()
		w.check("talked")
	}
}

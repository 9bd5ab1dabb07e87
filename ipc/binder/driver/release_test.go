package driver

import (
	"fmt"
	"testing"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// published is how many nodes the process has that is released.
const published = 3 * releaseTurn

// richWorld is a world whose last peer has nodes that the first, the manager,
// refers to.
func richWorld(t *testing.T) (w *world, manager, client, rescuer, victim *peer) {
	t.Helper()
	w = newWorld(t, 4)
	manager, client, rescuer, victim = w.peers[0], w.peers[1], w.peers[2], w.peers[3]
	manager.claim()
	for i := range uint64(published) {
		node := victimNode
		node.Binder += i << 8
		_ = victim.send(abi.BC_TRANSACTION, 0, abi.TF_ONE_WAY, node)
		manager.take()
		_ = manager.do(func(e *abi.Encoder[abi.Command]) { e.Uint32(abi.BC_ACQUIRE, uint32(manager.object(0).Binder)) })
		_ = manager.free()
		victim.drain()
	}
	if n := nodes.Live(w.peers[0].d.a); n < published {
		t.Fatalf("%d nodes", n)
	}
	return w, manager, client, rescuer, victim
}

// TestReleaseInTurns: however much a dead process had, nobody holds the lock for
// more than a bounded number of releases at a time.
func TestReleaseInTurns(t *testing.T) {
	w, manager, _, _, victim := richWorld(t)
	held, most := 0, 0
	manager.step = func(s arena.Step) {
		switch s {
		case arena.StepLocked:
			held = 0
		case arena.StepCommitted:
			held++
			most = max(most, held)
		}
	}
	w.bury(victim, manager)
	manager.step = nil
	if most < releaseTurn || most > 2*releaseTurn {
		t.Errorf("%d steps in one hold of the lock, a turn has %d", most, releaseTurn)
	}
	if n := nodes.Live(manager.d.a); n != published+1 { // the manager's refs hold them
		t.Errorf("%d nodes", n)
	}
	w.check("released")
}

// TestReleaseGoesOn: a release whose rescuer dies is one that others can work
// beside, and go on with.
func TestReleaseGoesOn(t *testing.T) {
	for n := 1; releaseUntil(t, n); n += 61 {
	}
}

// releaseUntil releases a process, whose rescuer dies at its n-th step, and says
// whether there is one.
func releaseUntil(t *testing.T, n int) (reached bool) {
	w, manager, client, rescuer, victim := richWorld(t)
	at := fmt.Sprintf("step %d", n)
	w.dead[victim.pid] = true
	reached = rescuer.dieAt(n, func() { w.bury(victim, rescuer) })
	w.dead[rescuer.pid] = reached
	_ = manager.send(abi.BC_TRANSACTION, 1, 0) // its owner dies
	_ = client.send(abi.BC_TRANSACTION, 0, abi.TF_ONE_WAY)
	manager.drain()
	w.check(at)
	w.bury(victim, manager)
	if reached {
		w.bury(rescuer, manager)
	} else {
		rescuer.p.Close()
	}
	manager.drain()
	w.check(at + ", released")
	manager.p.Close()
	client.p.Close()
	if err := leaks(manager.d); err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	return reached
}

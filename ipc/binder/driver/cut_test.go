package driver

import (
	"errors"
	"fmt"
	"testing"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

var errCut = errors.New("cut off")

var victimNode = abi.FlatBinderObject{Type: abi.BINDER_TYPE_BINDER, Flags: abi.FLAT_BINDER_FLAG_ACCEPTS_FDS, Binder: 0x10, Cookie: 0x11}

// script is what a victim does among two others, the context manager and a
// client: it publishes, calls, is called, passes handles and descriptors on,
// sends oneway, asks for death notices, and leaves. Each line may be the one
// during which it dies.
var script = []struct {
	name string
	run  func(manager, client, victim *peer)
}{
	{"call with a node", func(m, _, v *peer) { _ = v.send(abi.BC_TRANSACTION, 0, abi.TF_ACCEPT_FDS, victimNode) }},
	{"manager takes it", func(m, _, v *peer) { m.take() }},
	{"manager keeps the node", func(m, _, v *peer) {
		_ = m.do(func(e *abi.Encoder[abi.Command]) { e.Uint32(abi.BC_ACQUIRE, uint32(m.object(0).Binder)) })
	}},
	{"manager replies with a descriptor", func(m, _, v *peer) {
		_ = m.free()
		_ = m.send(abi.BC_REPLY, 0, 0, abi.FlatBinderObject{Type: abi.BINDER_TYPE_FD, Binder: 5})
	}},
	{"read the reply", func(m, _, v *peer) { v.take() }},
	{"acknowledge and free", func(m, _, v *peer) {
		_ = v.do(func(e *abi.Encoder[abi.Command]) {
			pc := abi.PtrCookie{Ptr: victimNode.Binder, Cookie: victimNode.Cookie}
			e.PtrCookie(abi.BC_INCREFS_DONE, pc)
			e.PtrCookie(abi.BC_ACQUIRE_DONE, pc)
			e.Uint64(abi.BC_FREE_BUFFER, v.tr.Buffer)
		})
	}},
	{"hold the manager and ask for its death", func(m, _, v *peer) {
		_ = v.do(func(e *abi.Encoder[abi.Command]) {
			e.Uint32(abi.BC_ACQUIRE, 0)
			e.HandleCookie(abi.BC_REQUEST_DEATH_NOTIFICATION, abi.NewHandleCookie(0, 0x77))
		})
	}},
	{"manager asks for the victim's death", func(m, _, v *peer) {
		_ = m.do(func(e *abi.Encoder[abi.Command]) {
			e.HandleCookie(abi.BC_REQUEST_DEATH_NOTIFICATION, abi.NewHandleCookie(1, 0x88))
		})
	}},
	{"client calls the manager", func(m, c, v *peer) { _ = c.send(abi.BC_TRANSACTION, 0, 0); m.take() }},
	{"manager gives the victim's handle to the client", func(m, c, v *peer) {
		_ = m.free()
		_ = m.send(abi.BC_REPLY, 0, 0, abi.FlatBinderObject{Type: abi.BINDER_TYPE_HANDLE, Binder: 1})
		c.take()
		_ = c.do(func(e *abi.Encoder[abi.Command]) {
			e.Uint32(abi.BC_ACQUIRE, uint32(c.object(0).Binder))
			e.Uint64(abi.BC_FREE_BUFFER, c.tr.Buffer)
		})
	}},
	{"client calls the victim", func(m, c, v *peer) { _ = c.send(abi.BC_TRANSACTION, 1, 0) }},
	{"take the call", func(m, c, v *peer) { v.take() }},
	{"nested call", func(m, c, v *peer) { _ = v.send(abi.BC_TRANSACTION, 0, 0) }},
	{"manager answers the nested call", func(m, c, v *peer) { m.drain() }},
	{"read the nested reply", func(m, c, v *peer) { v.take() }},
	{"free all and answer", func(m, c, v *peer) {
		_ = v.free()
		_ = v.send(abi.BC_REPLY, 0, 0, victimNode)
	}},
	{"client reads the answer", func(m, c, v *peer) { c.drain() }},
	{"oneways to the victim", func(m, c, v *peer) {
		for range 3 {
			_ = c.send(abi.BC_TRANSACTION, 1, abi.TF_ONE_WAY)
		}
	}},
	{"read a oneway and free it", func(m, c, v *peer) { v.take(); _ = v.free() }},
	{"oneway to the manager", func(m, c, v *peer) { _ = v.send(abi.BC_TRANSACTION, 0, abi.TF_ONE_WAY, victimNode) }},
	{"call that nobody takes", func(m, c, v *peer) { _ = v.send(abi.BC_TRANSACTION, 0, 0) }},
	{"thread exit", func(m, c, v *peer) { _ = v.p.Ioctl(v.pid, abi.BINDER_THREAD_EXIT, 0) }},
	{"close", func(m, c, v *peer) { v.p.Close() }},
}

// TestCutEverywhere kills the victim at each step of each line of the script,
// and its rescuer at each of the steps of the recovery that follows, and
// checks that the others go on and nothing leaks.
func TestCutEverywhere(t *testing.T) {
	cuts := 0
	for line := range script {
		for n := 1; playUntil(t, line, n, 0); n++ {
			cuts++
			if n%29 == 1 || long() {
				for m := 1; playUntil(t, line, n, m); m++ {
					cuts++
				}
			}
		}
	}
	t.Logf("%d cuts", cuts)
	if cuts < 1000 {
		t.Errorf("only %d cuts were made", cuts)
	}
}

// playUntil plays the script up to a line, in which the victim dies at its
// n-th step; if second is not 0, the first rescuer dies at its second-th step.
// It returns false if there is no such step.
func playUntil(t *testing.T, line, n, second int) (reached bool) {
	w := newWorld(t, 4)
	manager, client, rescuer, victim := w.peers[0], w.peers[1], w.peers[2], w.peers[3]
	manager.claim()
	for i := range line {
		script[i].run(manager, client, victim)
	}
	at := fmt.Sprintf("%q, step %d, %d", script[line].name, n, second)
	if !victim.dieAt(n, func() { script[line].run(manager, client, victim) }) {
		return false
	}
	w.dead[victim.pid] = true
	reached = true
	if second > 0 {
		reached = rescuer.dieAt(second, func() { w.bury(victim, rescuer) })
		w.bury(rescuer, manager)
	}
	w.bury(victim, manager)
	w.check(at)
	for range 3 {
		manager.drain()
		client.drain()
	}
	w.check(at + ", afterwards")
	manager.p.Close()
	client.p.Close()
	if second == 0 {
		rescuer.p.Close()
	} else if !reached {
		w.bury(rescuer, manager)
	}
	if err := leaks(manager.d); err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	if len(w.files) != 0 {
		t.Fatalf("%s: %d descriptors leak", at, len(w.files))
	}
	return reached
}

// dieAt runs f until the peer's n-th step and says whether it came so far.
func (p *peer) dieAt(n int, f func()) (reached bool) {
	p.cutAt(n)
	return p.dies(f)
}

// dies runs f and says whether the peer died in it.
func (p *peer) dies(f func()) (dead bool) {
	defer func() {
		p.step = nil
		if r := recover(); r == errCut {
			dead = true
		} else if r != nil {
			panic(r)
		}
	}()
	f()
	return false
}

// cutAt has the peer die at its n-th step from now on.
func (p *peer) cutAt(n int) {
	p.step = func(arena.Step) {
		if n--; n == 0 {
			panic(errCut)
		}
	}
}

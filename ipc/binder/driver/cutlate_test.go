package driver

import (
	"fmt"
	"testing"

	"ipcbench/ipc/binder/abi"
)

// talk is a conversation of a client and a server that sleep, wake each other, and
// free what they have read behind what they send.
type talk struct {
	manner
	quick  uint // see sleepers
	server bool // who dies, or else the client
}

// talks are the conversations that are cut off: in the short form each manner and
// each order of events once, in the long form all.
func talks() (all []talk) {
	manners := []manner{{}, {terse: true}, {apart: true}, {terse: true, flags: abi.TF_CLEAR_BUF}, {terse: true, apart: true, room: 3}}
	for i, m := range manners {
		for quick := range uint(8) {
			for _, server := range []bool{false, true} {
				if long() || int(quick)%len(manners) == i {
					all = append(all, talk{m, quick, server})
				}
			}
		}
	}
	return all
}

// TestCutSendBeforeFree kills one of two who talk at each of its steps, between the
// wake-up and the free and asleep among them, and checks that the other goes on, and that
// nothing that was read is lost or freed twice; and so if its rescuer is killed as well.
func TestCutSendBeforeFree(t *testing.T) {
	var cuts int
	var seen lateFrees
	rescued := 151 // in each so many-th cut the rescuer is killed, too
	if long() {
		rescued = 29
	}
	for _, k := range talks() {
		for n := 1; k.until(t, n, 0, &seen); n++ {
			cuts++
			if n%rescued == 1 {
				for m := 1; k.until(t, n, m, &seen); m++ {
					cuts++
				}
			}
		}
	}
	t.Logf("%d cuts, %+v", cuts, seen)
	if cuts < 500 || seen.armed == 0 || seen.mail == 0 {
		t.Errorf("%d cuts, %+v: not what is to be cut", cuts, seen)
	}
}

// lateFrees counts the frees behind a wake-up.
type lateFrees struct {
	armed int // whose thread was armed
	mail  int // whose thread had got its answer, or its next call, already
}

// note counts an event of a peer's thread, and checks what holds while it is armed.
func (f *lateFrees) note(p *peer, e Event) {
	t := p.thread()
	if t.rec.armed && (t.bwr.ReadSize == 0 || t.hasMail() || t.rec.idle != (t.rec.stack == 0)) {
		p.w.t.Errorf("peer %d is armed: it reads %d bytes, mail %v, idle %v, stack %d",
			p.pid, t.bwr.ReadSize, t.hasMail(), t.rec.idle, t.rec.stack)
	}
	switch {
	case e.Kind != EventFree:
	case t.rec.armed:
		f.armed++
	case t.hasMail():
		f.mail++
	}
}

// until plays the talk, in which one dies at its n-th step, and if second is not 0 the
// first rescuer at its second-th. It says whether there is such a step.
func (k talk) until(t *testing.T, n, second int, seen *lateFrees) (reached bool) {
	w := newWorld(t, 4)
	server, client, rescuer, other := w.peers[0], w.peers[1], w.peers[2], w.peers[3]
	server.claim()
	for _, p := range w.peers {
		p.d.Trace(func(e Event) { seen.note(p, e) })
	}
	w.sleep.quick = k.quick
	victim := client
	if k.server {
		victim = server
	}
	at := fmt.Sprintf("%+v, step %d, %d", k, n, second)
	victim.cutAt(n)
	server.run(func() { server.serves(k.manner) })
	client.run(func() { client.calls(3, k.manner) })
	w.settle()
	victim.step = nil
	if reached = w.dead[victim.pid]; reached {
		w.check(at)
		if second > 0 {
			reached = rescuer.dieAt(second, func() { w.bury(victim, rescuer) })
			w.bury(rescuer, other)
		}
		w.bury(victim, other)
		w.settle()
	}
	w.check(at + ", afterwards")
	if !client.co.over {
		t.Fatalf("%s: the client sleeps for ever", at)
	}
	if !w.dead[server.pid] {
		other.run(func() { other.calls(2, k.manner) })
		w.settle()
		server.p.flush()
		w.settle()
		if !other.co.over || !server.co.over {
			t.Fatalf("%s: the server sleeps for ever", at)
		}
	}
	for _, p := range w.peers {
		if w.dead[p.pid] {
			continue
		}
		if n := p.p.rec.space.In(p.d.a).Buffers; n != 0 {
			t.Errorf("%s: peer %d has %d buffers that it freed", at, p.pid, n)
		}
		p.p.Close()
	}
	if err := leaks(other.d); err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	return reached
}

// TestOvertaken: a client whose server runs in its place as soon as it is woken does
// without freeing late, for so many calls.
func TestOvertaken(t *testing.T) {
	const more = 6
	for quick, want := range map[uint]int{0: overtakenFor + more - 1, 1: more - 1, 1<<63 - 1: 0} {
		w := newWorld(t, 2)
		server, client := w.peers[0], w.peers[1]
		server.claim()
		w.sleep.quick = quick
		var seen lateFrees
		client.d.Trace(func(e Event) { seen.note(client, e) })
		server.run(func() { server.serves(manner{terse: true}) })
		client.run(func() { client.calls(overtakenFor+more, manner{}) })
		w.settle()
		if late := seen.armed + seen.mail; late != want || !client.co.over {
			t.Errorf("quick %b: of %d calls %d freed late, want %d", quick, overtakenFor+more, late, want)
		}
		server.p.flush()
		w.settle()
	}
}

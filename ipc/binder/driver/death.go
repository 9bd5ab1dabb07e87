package driver

import (
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// requestDeath is BC_REQUEST_DEATH_NOTIFICATION. If the owner is dead already
// the notice comes at once.
func (t *Thread) requestDeath(hc *abi.HandleCookie) error {
	r := t.d.findRef(t.proc, hc.Handle, false)
	if r == 0 || r.In(t.d.a).death != 0 {
		return nil
	}
	n, err := deaths.New(t.tx)
	if err != nil {
		return err
	}
	n.Edit(t.tx).cookie = hc.Cookie()
	r.Edit(t.tx).death = n
	t.d.ctx.In(t.d.a).totals.Deaths++
	if r.In(t.d.a).node.In(t.d.a).proc == 0 {
		n.Edit(t.tx).kind = workDeadBinder
		enqueueProc(t.tx, arena.Ref[Work](n), t.proc)
	}
	return nil
}

// clearDeath is BC_CLEAR_DEATH_NOTIFICATION. A notice that is under way is
// confirmed only after it was acknowledged.
func (t *Thread) clearDeath(hc *abi.HandleCookie) {
	r := t.d.findRef(t.proc, hc.Handle, false)
	if r == 0 {
		return
	}
	n := r.In(t.d.a).death
	if n == 0 || n.In(t.d.a).cookie != hc.Cookie() {
		return
	}
	r.Edit(t.tx).death = 0
	if n.In(t.d.a).on != notQueued {
		n.Edit(t.tx).kind = workDeadBinderAndClear
		return
	}
	n.Edit(t.tx).kind = workClearDeath
	t.confirmClear(n)
}

// confirmClear queues the confirmation: to the thread itself if it belongs to
// the pool.
func (t *Thread) confirmClear(n arena.Ref[death]) {
	if t.ref.In(t.d.a).rest.looper&(looperRegistered|looperEntered) != 0 {
		enqueueThread(t.tx, arena.Ref[Work](n), t.ref)
	} else {
		enqueueProc(t.tx, arena.Ref[Work](n), t.proc)
	}
}

// deathDone is BC_DEAD_BINDER_DONE. An unknown cookie is ignored.
func (t *Thread) deathDone(cookie uint64) {
	for w := t.proc.In(t.d.a).rest.delivered.First; w != 0; w = w.In(t.d.a).link.Next {
		n := arena.Ref[death](w)
		if n.In(t.d.a).cookie != cookie {
			continue
		}
		dequeue(t.tx, w)
		if n.In(t.d.a).kind == workDeadBinderAndClear {
			n.Edit(t.tx).kind = workClearDeath
			t.confirmClear(n)
		}
		return
	}
}

// readDeath delivers a notice or the confirmation of its end.
func (t *Thread) readDeath(n arena.Ref[death]) (last bool) {
	cookie := n.In(t.d.a).cookie
	if n.In(t.d.a).kind == workClearDeath {
		t.ret.uint64(abi.BR_CLEAR_DEATH_NOTIFICATION_DONE, cookie)
		deaths.Free(t.tx, n)
		return false
	}
	t.ret.uint64(abi.BR_DEAD_BINDER, cookie)
	enqueue(t.tx, arena.Ref[Work](n), procDelivered, uint32(t.proc))
	return true
}

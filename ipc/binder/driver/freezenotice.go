package driver

import (
	"syscall"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// freezeNotice is binder_ref_freeze: a holder of a ref wants to know whether
// the node's owner is frozen. While it has been read and not acknowledged it is
// on the holder's list of those, and what changes then is told afterwards.
type freezeNotice struct {
	Work
	cookie uint64
	frozen bool // what is told next, or was told last
	resend bool // to be queued again when it is acknowledged
}

// requestFreezeNotice is BC_REQUEST_FREEZE_NOTIFICATION. How things stand is
// told at once. Unlike with death notices, misuse is an error of the call.
func (t *Thread) requestFreezeNotice(hc *abi.HandleCookie) error {
	r := t.d.findRef(t.proc, hc.Handle, false)
	if r == 0 || r.In(t.d.a).freeze != 0 {
		return syscall.EINVAL
	}
	n, err := freezeNotices.New(t.tx)
	if err != nil {
		return err
	}
	p := n.Edit(t.tx)
	p.kind, p.cookie = workFrozen, hc.Cookie()
	r.Edit(t.tx).freeze = n
	if owner := r.In(t.d.a).node.In(t.d.a).proc; owner != 0 {
		p.frozen = owner.In(t.d.a).frozen
		enqueueProc(t.tx, arena.Ref[Work](n), t.proc)
	}
	return nil
}

// clearFreezeNotice is BC_CLEAR_FREEZE_NOTIFICATION. It is confirmed after
// what was told before is acknowledged.
func (t *Thread) clearFreezeNotice(hc *abi.HandleCookie) error {
	r := t.d.findRef(t.proc, hc.Handle, false)
	if r == 0 {
		return syscall.EINVAL
	}
	n := r.In(t.d.a).freeze
	if n == 0 || n.In(t.d.a).cookie != hc.Cookie() {
		return syscall.EINVAL
	}
	r.Edit(t.tx).freeze = 0
	p := n.Edit(t.tx)
	p.kind = workClearFreeze
	switch p.on {
	case notQueued:
		enqueueProc(t.tx, arena.Ref[Work](n), t.proc)
	case procToldFrozen:
		p.resend = true
	}
	return nil
}

// freezeNoticeDone is BC_FREEZE_NOTIFICATION_DONE.
func (t *Thread) freezeNoticeDone(cookie uint64) error {
	for w := t.proc.In(t.d.a).rest.toldFrozen.First; w != 0; w = w.In(t.d.a).link.Next {
		n := arena.Ref[freezeNotice](w)
		if n.In(t.d.a).cookie != cookie {
			continue
		}
		dequeue(t.tx, w)
		if n.In(t.d.a).resend {
			n.Edit(t.tx).resend = false
			enqueueProc(t.tx, w, t.proc)
		}
		return nil
	}
	return syscall.EINVAL
}

// readFreezeNotice delivers a notice or the confirmation of its end.
func (t *Thread) readFreezeNotice(n arena.Ref[freezeNotice]) (last bool) {
	p := n.In(t.d.a)
	if p.kind == workClearFreeze {
		t.ret.uint64(abi.BR_CLEAR_FREEZE_NOTIFICATION_DONE, p.cookie)
		freezeNotices.Free(t.tx, n)
		return false
	}
	t.ret.frozenState(&abi.FrozenStateInfo{Cookie: p.cookie, IsFrozen: bit(p.frozen)})
	enqueue(t.tx, arena.Ref[Work](n), procToldFrozen, uint32(t.proc))
	return true
}

// tellFrozen notifies all who asked about nodes of a process.
func (t *Thread) tellFrozen(r arena.Ref[proc], frozen bool) {
	a := t.d.a
	root := r.In(a).rest.nodes
	for n := nodesByPtr.First(a, root); n != 0; n = nodesByPtr.Next(a, root, n) {
		for x := n.In(a).rest.refs.First; x != 0; x = x.In(a).link.Next {
			if x.In(a).freeze != 0 {
				tellHolder(t.tx, x.In(a).proc, x.In(a).freeze, frozen)
			}
			if t.tx.Full() {
				t.tx.Commit()
			}
		}
	}
}

func tellHolder(tx *arena.Tx, holder arena.Ref[proc], n arena.Ref[freezeNotice], frozen bool) {
	p := n.Edit(tx)
	changed := p.frozen != frozen
	p.frozen = frozen
	switch p.on {
	case notQueued:
		enqueueProc(tx, arena.Ref[Work](n), holder)
	case procToldFrozen:
		p.resend = p.resend || changed
	}
}

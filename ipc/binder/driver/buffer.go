package driver

import (
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// userFreeBuffer is BC_FREE_BUFFER. Only the start of a buffer that was
// delivered will do; anything else is ignored.
func (t *Thread) userFreeBuffer(addr uint64) {
	p := t.p.rec
	if p.space == 0 || addr < p.base || addr-p.base >= 1<<32 {
		return
	}
	b := alloc.Find(t.d.a, p.space, uint32(addr-p.base))
	if b == 0 || !t.d.isDelivered(b) {
		return
	}
	q := b.In(t.d.a)
	if q.ClearOnFree {
		b.Edit(t.tx).Busy = true
		t.unlock()
		if block, f := t.block(t.proc, b); f.code == 0 {
			clear(block)
		}
		t.lock()
	}
	if n := arena.Ref[node](q.Node); n != 0 && q.Async {
		t.d.nextAsync(t.tx, n)
	}
	if q.Objects > 0 {
		t.closeArrays(b)
	}
	t.receives(EventFree, addr, q.Data)
	t.d.freeBuffer(t.tx, t.proc, b)
}

// A buffer and its transaction name each other, and neither is told when the other
// is freed: who goes from one to the other looks whether that still names it.

// bufferOf is the buffer of a transaction, 0 if it was freed.
func (d *Driver) bufferOf(x arena.Ref[transaction]) arena.Ref[alloc.Buffer] {
	if b := x.In(d.a).buffer; b != 0 && b.In(d.a).Transaction == uint32(x) {
		return b
	}
	return 0
}

// transactionOf is the transaction that a buffer was made for, 0 if it is over.
func (d *Driver) transactionOf(b arena.Ref[alloc.Buffer]) arena.Ref[transaction] {
	if x := arena.Ref[transaction](b.In(d.a).Transaction); x != 0 && x.In(d.a).buffer == b {
		return x
	}
	return 0
}

// isBuilding says whether a sender is filling the buffer right now.
func (d *Driver) isBuilding(b arena.Ref[alloc.Buffer]) bool {
	x := d.transactionOf(b)
	return x != 0 && x.In(d.a).sender.In(d.a).building == x
}

// isDelivered says whether the buffer's receiver may free it: it has read the
// transaction, and the driver does not write to the buffer.
func (d *Driver) isDelivered(b arena.Ref[alloc.Buffer]) bool {
	q := b.In(d.a)
	x := arena.Ref[transaction](q.Transaction)
	if x == 0 || q.Busy {
		return !q.Busy
	}
	p := x.In(d.a)
	return p.buffer != b || p.on == notQueued && p.sender.In(d.a).building != x
}

// isQueued says whether the buffer's transaction was sent and not read.
func (d *Driver) isQueued(b arena.Ref[alloc.Buffer]) bool {
	x := d.transactionOf(b)
	return x != 0 && x.In(d.a).on != notQueued
}

// freeBuffer frees a buffer with what it holds: its objects' references and
// its target node.
func (d *Driver) freeBuffer(tx *arena.Tx, r arena.Ref[proc], b arena.Ref[alloc.Buffer]) {
	p := b.In(d.a)
	if p.Objects > 0 {
		d.releaseObjects(tx, r, b)
		p = b.In(d.a)
	}
	if n := arena.Ref[node](p.Node); n != 0 {
		d.decNode(tx, n, true, false)
	}
	alloc.Free(tx, r.In(d.a).space, b)
}

// nextAsync moves the node's next oneway transaction to where a thread reads
// it.
func (d *Driver) nextAsync(tx *arena.Tx, n arena.Ref[node]) {
	w := n.In(d.a).async.First
	if w == 0 || n.In(d.a).proc == 0 {
		n.Edit(tx).hasAsync = false
		return
	}
	dequeue(tx, w)
	enqueueProc(tx, w, n.In(d.a).proc)
}

// dropWork frees work that nobody will read. Who waits for the answer to a
// call is told that its receiver is dead.
func (d *Driver) dropWork(tx *arena.Tx, w arena.Ref[Work]) {
	waiting := w.In(d.a).on == nodeAsync
	dequeue(tx, w)
	switch w.In(d.a).kind {
	case workTransaction:
		d.dropTransaction(tx, arena.Ref[transaction](w), abi.BR_DEAD_REPLY, !waiting)
	case workNotice:
		notices.Free(tx, arena.Ref[notice](w))
	case workClearDeath, workDeadBinderAndClear:
		deaths.Free(tx, arena.Ref[death](w))
	case workClearFreeze:
		freezeNotices.Free(tx, arena.Ref[freezeNotice](w))
	}
}

// dropTransaction frees a transaction that was queued and will not be
// delivered, and its buffer. If it was a oneway call whose turn had come, it is
// the next one's.
func (d *Driver) dropTransaction(tx *arena.Tx, x arena.Ref[transaction], code abi.Return, turn bool) {
	p := x.In(d.a)
	b, to := d.bufferOf(x), p.toProc
	d.dropFixups(tx, x)
	if p.needReply {
		d.failReply(tx, x, code)
	} else {
		d.freeTransaction(tx, x, 0)
	}
	if b == 0 {
		return
	}
	if n := arena.Ref[node](b.In(d.a).Node); turn && n != 0 && b.In(d.a).Async {
		d.nextAsync(tx, n)
	}
	d.freeBuffer(tx, to, b)
}

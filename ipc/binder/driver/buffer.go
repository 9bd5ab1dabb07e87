package driver

import (
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// userFreeBuffer is BC_FREE_BUFFER. Only the start of a buffer that was
// delivered will do; anything else is ignored.
func (t *Thread) userFreeBuffer(addr uint64) {
	p := t.proc.In(t.d.a)
	if p.space == 0 || addr < p.base || addr-p.base >= 1<<32 {
		return
	}
	b := alloc.Find(t.d.a, p.space, uint32(addr-p.base))
	if b == 0 || !b.In(t.d.a).UserFree {
		return
	}
	if b.In(t.d.a).ClearOnFree {
		b.Edit(t.tx).UserFree = false // nobody else may free it meanwhile
		t.unlock()
		if block, f := t.block(t.proc, b); f.code == 0 {
			clear(block)
		}
		t.lock()
	}
	if n := arena.Ref[node](b.In(t.d.a).Node); n != 0 && b.In(t.d.a).Async {
		t.d.nextAsync(t.tx, n)
	}
	t.closeArrays(b)
	t.frees(addr, b)
	t.d.freeBuffer(t.tx, t.proc, b)
}

// freeBuffer frees a buffer with what it holds: its objects' references and
// its target node.
func (d *Driver) freeBuffer(tx *arena.Tx, r arena.Ref[proc], b arena.Ref[alloc.Buffer]) {
	p := b.In(d.a)
	if p.Objects > 0 {
		d.releaseObjects(tx, r, b)
		p = b.In(d.a)
	}
	if x := arena.Ref[transaction](p.Transaction); x != 0 {
		x.Edit(tx).buffer = 0
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
	b, to := p.buffer, p.toProc
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

package driver

import (
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// Work is binder_work: what a thread can find when it reads. It begins the
// record of everything that can be queued, so that a reference to such a
// record is one to its work.
type Work struct {
	arena.Header
	kind  workKind
	on    queueKind
	owner uint32 // the record whose queue it is on
	link  arena.Link[Work]
}

type workKind uint16

const (
	workNone workKind = iota
	workTransaction
	workNotice
	workNode
	workDeadBinder
	workDeadBinderAndClear
	workClearDeath
	workFrozen
	workClearFreeze
)

// queueKind says which queue of its owner a work is on.
type queueKind uint16

const (
	notQueued queueKind = iota
	threadTodo
	procTodo
	procDelivered
	procToldFrozen
	nodeAsync
)

var workList = arena.List[Work]{Link: func(w *Work) *arena.Link[Work] { return &w.link }}

// ends is a queue, open for changes.
func ends(tx *arena.Tx, on queueKind, owner uint32) *arena.Ends[Work] {
	switch on {
	case threadTodo:
		return &arena.Ref[thread](owner).Edit(tx).todo
	case procTodo:
		return &arena.Ref[proc](owner).Edit(tx).todo
	case procDelivered:
		return &arena.Ref[proc](owner).In(tx.Arena()).rest.edit(tx).delivered
	case procToldFrozen:
		return &arena.Ref[proc](owner).In(tx.Arena()).rest.edit(tx).toldFrozen
	}
	return &arena.Ref[node](owner).Edit(tx).async
}

// enqueue puts the work at the end of a queue. It must be on none.
func enqueue(tx *arena.Tx, w arena.Ref[Work], on queueKind, owner uint32) {
	p := w.Edit(tx)
	p.on, p.owner = on, owner
	workList.PushBack(tx, ends(tx, on, owner), w)
}

// dequeue takes the work off the queue that it is on, if any.
func dequeue(tx *arena.Tx, w arena.Ref[Work]) {
	p := w.In(tx.Arena())
	if p.on == notQueued {
		return
	}
	workList.Remove(tx, ends(tx, p.on, p.owner), w)
	p.on, p.owner = notQueued, 0
}

// enqueueThread gives a thread work that is worth waking up for.
func enqueueThread(tx *arena.Tx, w arena.Ref[Work], t arena.Ref[thread]) {
	enqueue(tx, w, threadTodo, uint32(t))
	t.Edit(tx).processTodo = true
}

// enqueueProc gives a process work and wakes a thread for it.
func enqueueProc(tx *arena.Tx, w arena.Ref[Work], p arena.Ref[proc]) {
	enqueue(tx, w, procTodo, uint32(p))
	wakeProc(tx, p)
}

// notify gives a thread a return code to read; deferred ones do not wake it.
// It cannot fail: if the arena is full, one code has a place in the thread, and
// what has no place there either adds nothing to what the thread will read.
func (d *Driver) notify(tx *arena.Tx, t arena.Ref[thread], code abi.Return, of noticeOf, deferred bool) {
	th := t.Edit(tx)
	th.processTodo = th.processTodo || !deferred
	th.stats.Completes++
	n, err := notices.New(tx)
	if err != nil {
		th.overflow, th.processTodo = code, true
		return
	}
	p := n.Edit(tx)
	p.kind, p.code, p.clears = workNotice, code, of
	enqueue(tx, arena.Ref[Work](n), threadTodo, uint32(t))
}

// complete tells the thread that its transaction was sent. A completion that would
// be first in the queue is only a mark on the thread.
func (t *Thread) complete(deferred bool) {
	th := t.rec
	if th.todo.First != 0 || th.complete || th.overflow != 0 {
		t.d.notify(t.tx, t.ref, abi.BR_TRANSACTION_COMPLETE, ofNothing, deferred)
		return
	}
	th.Edit(t.tx)
	th.complete = true
	th.processTodo = th.processTodo || !deferred
	th.stats.Completes++
}

// wake sends a wake-up to a thread that waits.
func wake(tx *arena.Tx, t arena.Ref[thread]) {
	p := t.In(tx.Arena())
	if !p.armed && !p.polling {
		return
	}
	p.Edit(tx)
	p.armed = false
	unidle(tx, t)
	tx.Wake(&p.wait)
}

// unidle takes a thread off its process's list of idle ones.
func unidle(tx *arena.Tx, t arena.Ref[thread]) {
	if p := t.Edit(tx); p.idle {
		p.idle = false
		idleThreads.Remove(tx, &p.proc.Edit(tx).waiting, t)
	}
}

// wakeProc wakes the thread that went idle most recently, or, if none is
// idle, those that poll.
func wakeProc(tx *arena.Tx, r arena.Ref[proc]) {
	a := tx.Arena()
	if t := r.In(a).waiting; t != 0 {
		wake(tx, t)
		return
	}
	root := r.In(a).rest.threads
	if r.In(a).pollers == 0 {
		return
	}
	for t := threadsByTID.First(a, root); t != 0; t = threadsByTID.Next(a, root, t) {
		if t.In(a).polling {
			wake(tx, t)
		}
	}
}

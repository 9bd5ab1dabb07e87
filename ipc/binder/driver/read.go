package driver

import (
	"syscall"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// workRoom is the room that a read needs before it takes work: that of the
// largest return.
const workRoom = 4 + abi.SizeofTransactionDataSecCtx

// returns is the one writer through which every return code passes. It
// gathers them outside caller memory, because the lock may be held, and counts
// them.
type returns struct {
	abi.Encoder[abi.Return]
	stats *Stats
	room  int                       // that the thread has
	data  abi.TransactionDataSecCtx // what is being encoded
	buf   [1024]byte
}

// attach readies the writer for a thread with these statistics.
func (w *returns) attach(s *Stats) {
	w.Encoder, w.stats = abi.NewEncoder[abi.Return](w.buf[:]), s
}

// begin begins a read into room bytes.
func (w *returns) begin(room uint64) {
	w.Reset()
	w.room = int(min(room, uint64(len(w.buf))))
}

// full says whether there is no room for more work.
func (w *returns) full() bool { return w.Len()+workRoom > w.room }

func (w *returns) count(code abi.Return) {
	if code != abi.BR_NOOP {
		w.stats.Returns[code.Number()]++
	}
}

func (w *returns) code(code abi.Return) { w.count(code); w.Encoder.Code(code) }

func (w *returns) uint64(code abi.Return, v uint64) { w.count(code); w.Encoder.Uint64(code, v) }

func (w *returns) ptrCookie(code abi.Return, v abi.PtrCookie) {
	w.count(code)
	w.Encoder.PtrCookie(code, v)
}

func (w *returns) frozenState(v *abi.FrozenStateInfo) {
	w.count(abi.BR_FROZEN_BINDER)
	w.Encoder.FrozenState(abi.BR_FROZEN_BINDER, v)
}

func (w *returns) transaction(m *mail) {
	code := m.unpack(&w.data)
	w.count(code)
	if code == abi.BR_TRANSACTION_SEC_CTX {
		w.Encoder.TransactionSecCtx(code, &w.data)
	} else {
		w.Encoder.Transaction(code, &w.data.TransactionData)
	}
}

// read returns work to the thread, and waits for it if there is none.
func (t *Thread) read() error {
	w, bwr := &t.ret, &t.bwr
	w.begin(bwr.ReadSize - min(bwr.ReadConsumed, bwr.ReadSize))
	t.delivered = 0
	if bwr.ReadConsumed == 0 {
		if bwr.ReadSize < 4 {
			return syscall.EFAULT
		}
		w.code(abi.BR_NOOP)
	}
	t.nonblock = t.p.nonblock.Load()
	return t.readOn(t.waitForWork())
}

// readOn goes on where a wait for work ended.
func (t *Thread) readOn(forProc bool, err error) error {
	w := &t.ret
	for empty := w.Len(); w.Len() == empty; forProc, err = t.waitForWork() {
		if err != nil {
			return err
		}
		if w.full() {
			break
		}
		home := t.rec.needReturn
		t.collect(forProc)
		if home || w.Len() != empty {
			break
		}
	}
	t.spawn()
	t.unlock()
	return t.copyOut()
}

// waitForWork returns when there is something to read, and says whether the
// thread may take work of the process. It returns with the lock held, unless
// all that there is lies in the mailbox.
func (t *Thread) waitForWork() (forProc bool, err error) {
	if !t.locked && t.mailArrived() {
		return false, nil
	}
	t.lock()
	forProc = t.free()
	if t.hasWork(forProc) {
		if t.rec.armed {
			t.disarm()
		}
		return forProc, nil
	}
	if t.nonblock {
		return forProc, syscall.EAGAIN
	}
	return forProc, t.sleep(forProc)
}

// sleep parks the call. One whose thread sleeps in the driver does so in Ioctl, out of
// all that led here: after a switch of processes the CPU mispredicts every return.
func (t *Thread) sleep(forProc bool) error {
	for {
		t.parkedFor, t.number = forProc, t.arm(forProc)
		t.unlock()
		if t.parker == nil || t.park() {
			t.parked = true
			return ErrParked
		}
		if over, err := t.awake(forProc, nil); over {
			return err
		}
	}
}

// awake says whether a wait that was interrupted by err, or not, is over: with
// work, or with the error.
func (t *Thread) awake(forProc bool, err error) (over bool, _ error) {
	if t.mailArrived() {
		return true, nil
	}
	t.lock()
	t.disarm()
	if t.hasWork(forProc) {
		return true, nil
	}
	return err != nil, err
}

// collect takes work off the queues until there is none, the room is used up,
// or something came after which a read returns.
func (t *Thread) collect(forProc bool) {
	w := &t.ret
	if t.hasMail() {
		t.readMail()
		return
	}
	if !t.locked {
		return
	}
	for !w.full() {
		if t.rec.complete {
			t.rec.Edit(t.tx)
			t.rec.complete = false
			w.code(abi.BR_TRANSACTION_COMPLETE)
			continue
		}
		if t.rec.overflow != 0 {
			th := t.rec
			th.Edit(t.tx)
			w.code(th.overflow)
			th.overflow = 0
			rest := th.rest.edit(t.tx)
			rest.returnError, rest.replyError = 0, 0
			continue
		}
		next := t.rec.todo.First
		if next == 0 && forProc {
			next = t.p.rec.todo.First
		}
		if next == 0 {
			break
		}
		dequeue(t.tx, next)
		t.workTaken()
		if t.readWork(next) {
			return
		}
	}
	t.workTaken()
}

// workTaken notes that the queue is empty, if it is.
func (t *Thread) workTaken() {
	if th := t.rec; th.processTodo && th.todo.First == 0 {
		th.Edit(t.tx)
		th.processTodo = false
	}
}

// readWork returns one piece of work, and says whether the read ends with it.
func (t *Thread) readWork(next arena.Ref[Work]) (last bool) {
	switch next.In(t.d.a).kind {
	case workTransaction:
		return t.readTransaction(arena.Ref[transaction](next))
	case workNotice:
		n := arena.Ref[notice](next).In(t.d.a)
		rest := t.rec.rest.edit(t.tx)
		switch n.clears {
		case ofCommand:
			rest.returnError = 0
		case ofReply:
			rest.replyError = 0
		}
		t.ret.code(n.code)
		notices.Free(t.tx, arena.Ref[notice](next))
	case workNode:
		t.readNode(arena.Ref[node](next))
	case workFrozen, workClearFreeze:
		return t.readFreezeNotice(arena.Ref[freezeNotice](next))
	default:
		return t.readDeath(arena.Ref[death](next))
	}
	return false
}

// readTransaction delivers a transaction, after its descriptors were
// installed. If they cannot be, whoever made the call is told, and for a reply
// that is the reader.
func (t *Thread) readTransaction(x arena.Ref[transaction]) (last bool) {
	p := x.In(t.d.a)
	if p.fixups != 0 && !t.installFiles(x) {
		if p.reply {
			t.ret.code(abi.BR_FAILED_REPLY)
		}
		t.d.dropTransaction(t.tx, x, abi.BR_FAILED_REPLY, true)
		return false
	}
	if p.needReply {
		t.delivered = x
	}
	t.d.deliver(t.tx, x, t.ref, t.ref, &t.out)
	t.receives(EventRead, t.out.buffer, t.out.data)
	t.ret.transaction(&t.out)
	return true
}

// readMail returns what the sender left in the mailbox.
func (t *Thread) readMail() {
	m := &t.rec.mail
	if m.complete {
		t.ret.code(abi.BR_TRANSACTION_COMPLETE)
		if m.complete = false; t.ret.full() {
			return // the transaction is for the next read
		}
	}
	t.receives(EventRead, m.buffer, m.data)
	t.ret.transaction(m)
	if !m.reply && m.flags&abi.TF_ONE_WAY == 0 {
		t.delivered = t.rec.stack
	}
	t.rec.mailRead.Store(t.rec.mailFor)
}

// spawn asks for another pool thread if none is idle, and passes work on that
// this thread did not take.
func (t *Thread) spawn() {
	p := t.p.rec
	if p.keepsWaiting() {
		t.lock()
		wakeProc(t.tx, t.proc)
	}
	if !t.wantsLooper(p) {
		return
	}
	t.lock()
	if !t.wantsLooper(p) {
		return
	}
	p.rest.edit(t.tx).requested++
	t.ret.count(abi.BR_SPAWN_LOOPER)
	t.spawnAt = t.bwr.ReadBuffer
}

// wantsLooper and keepsWaiting look at what the lock guards without it, and are asked
// again, or do no harm, under it. What they miss is in the making, and is told to whom
// it is made for: who queues work wakes a thread for it, and the thread that is taken off
// the idle ones as the last one sees that in its own read. The race detector is not to
// look here: it knows no peek, and an atomic load would be no other instruction.
//
//go:norace
func (t *Thread) wantsLooper(p *proc) bool {
	return p.waiting == 0 && p.rest.requested == 0 && p.rest.started < p.rest.maxThreads &&
		t.rec.rest.looper&(looperRegistered|looperEntered) != 0
}

// keepsWaiting says whether the process has work, and a thread that waits for some.
//
//go:norace
func (p *proc) keepsWaiting() bool { return p.todo.First != 0 && p.waiting != 0 }

// copyOut copies the returns to the thread's memory. What a thread cannot read
// is lost, but the sender of a call is told.
func (t *Thread) copyOut() error {
	b, bwr := t.ret.Bytes(), &t.bwr
	if t.spawnAt != 0 {
		var spawn [4]byte
		e := abi.NewEncoder[abi.Return](spawn[:])
		e.Code(abi.BR_SPAWN_LOOPER)
		if bwr.ReadConsumed == 0 {
			copy(b, spawn[:])
		} else if err := t.task.CopyToUser(t.spawnAt, spawn[:]); err != nil {
			t.spawnAt = 0
			return syscall.EFAULT
		}
		t.spawnAt = 0
	}
	if err := t.task.CopyToUser(bwr.ReadBuffer+bwr.ReadConsumed, b); err != nil {
		if t.delivered != 0 {
			t.lock()
			t.undeliver(t.delivered)
			t.unlock()
		}
		return syscall.EFAULT
	}
	t.copies.HeaderToUser += uint64(len(b))
	bwr.ReadConsumed += uint64(len(b))
	return nil
}

package driver

import (
	"errors"
	"syscall"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// failure is why a transaction cannot be: what its sender reads, and the
// parameter of its extended error. The zero failure is none.
type failure struct {
	code  abi.Return
	param syscall.Errno
}

func failed(param syscall.Errno) failure { return failure{abi.BR_FAILED_REPLY, param} }

// route is where a transaction goes.
type route struct {
	proc      arena.Ref[proc]
	thread    arena.Ref[thread]      // 0: any of the process
	node      arena.Ref[node]        // 0: a reply
	inReplyTo arena.Ref[transaction] // 0: a request
}

// transact is BC_TRANSACTION and BC_REPLY and their scatter-gather forms: it
// finds the target and allocates under the lock, fills the buffer outside, and
// queues under the lock again. Whatever goes wrong is told by what the threads
// read, never by an error of the call.
func (t *Thread) transact(tr *abi.TransactionDataSG, reply bool) {
	t.lock()
	id := t.nextID()
	if t.rec.failed {
		t.rec.Edit(t.tx)
		t.rec.failed = false
		t.rec.rest.edit(t.tx).extended = abi.ExtendedError{Command: uint32(abi.BR_OK)}
	}
	var to route
	var f failure
	if reply {
		to, f = t.routeReply()
	} else {
		to, f = t.routeRequest(&tr.TransactionData)
	}
	if f.code != 0 {
		t.fail(to.inReplyTo, id, f)
		return
	}
	x, f := t.allocate(id, to, tr, reply)
	if f.code != 0 {
		t.fail(to.inReplyTo, id, f)
		return
	}
	t.d.sends(EventAllocate, x)
	t.unlock()
	t.d.a.Outside()
	f = t.fill(x, tr)
	t.d.sends(EventCopy, x)
	t.d.a.Outside()
	t.lock()
	t.endBuild(x)
	if f.code == 0 {
		if reply {
			f = t.sendReply(x, to)
		} else {
			f = t.sendRequest(x, to)
		}
	}
	if f.code != 0 {
		t.d.discard(t.tx, x)
		t.fail(to.inReplyTo, id, f)
	}
}

// idsAtOnce is how many numbers a thread takes for its transactions, so that not
// each of them changes the context.
const idsAtOnce = 64

// nextID is the number of the thread's next transaction. The lock is held.
func (t *Thread) nextID() uint64 {
	if t.lastID == t.endID {
		t.endID = t.d.nextIDs(idsAtOnce)
		t.lastID = t.endID - idsAtOnce
	}
	t.lastID++
	t.sent = uint32(t.lastID)
	return t.lastID
}

// routeRequest finds the target of a call by its handle, and the thread of
// that process that waits for this call's chain, if there is one.
func (t *Thread) routeRequest(tr *abi.TransactionData) (to route, f failure) {
	a := t.d.a
	if handle := uint32(tr.Target); handle != 0 {
		r := t.d.findRef(t.proc, handle, true)
		if r == 0 {
			return to, failed(syscall.EINVAL)
		}
		to.node = r.In(a).node
	} else if to.node = t.d.ctx.In(a).manager; to.node == 0 {
		return to, failure{abi.BR_DEAD_REPLY, syscall.EINVAL}
	}
	if to.proc = to.node.In(a).proc; to.proc == 0 {
		return to, failure{abi.BR_DEAD_REPLY, syscall.EINVAL}
	}
	p := to.proc.In(a)
	if p.dead {
		return to, failure{abi.BR_DEAD_REPLY, syscall.EINVAL}
	}
	if p == t.p.rec || uint32(tr.Target) == 0 && p.pid == t.p.rec.pid {
		return to, failed(syscall.EINVAL)
	}
	if tr.Flags&abi.TF_ONE_WAY != 0 {
		return to, f
	}
	if t.transactionNext() {
		return to, failed(syscall.EPROTO)
	}
	if top := t.rec.stack; top != 0 {
		if top.In(a).toThread != t.ref {
			return to, failed(syscall.EPROTO)
		}
		for x := top; x != 0; x = x.In(a).fromParent {
			if from := x.In(a).from; from != 0 && from.In(a).proc == to.proc {
				to.thread = from
				break
			}
		}
	}
	return to, f
}

// transactionNext says whether the first thing that the thread will read is a
// transaction.
func (t *Thread) transactionNext() bool {
	if t.hasMail() {
		return !t.rec.mail.complete
	}
	w := t.rec.todo.First
	return w != 0 && !t.rec.complete && w.In(t.d.a).kind == workTransaction
}

// routeReply pops the call that the thread is serving and finds who made it.
func (t *Thread) routeReply() (to route, f failure) {
	a := t.d.a
	th := t.rec
	x := th.stack
	if x == 0 {
		return to, failed(syscall.EPROTO)
	}
	call := x.In(a)
	if call.toThread != t.ref {
		return to, failed(syscall.EPROTO)
	}
	th.Edit(t.tx)
	th.stack = call.toParent
	to.inReplyTo, to.thread = x, call.from
	if to.thread == 0 {
		return to, failure{abi.BR_DEAD_REPLY, syscall.ESRCH}
	}
	caller := to.thread.In(a)
	if caller.stack != x {
		to.inReplyTo = 0
		return to, failed(syscall.EPROTO)
	}
	to.proc = caller.proc
	return to, f
}

// allocate makes the transaction and its buffer in the target's region. From
// here to endBuild the sender is busy outside the lock; the target's records
// are pinned, and the transaction hangs on the sender's thread, so that
// somebody cleans up if the sender dies.
func (t *Thread) allocate(id uint64, to route, tr *abi.TransactionDataSG, reply bool) (arena.Ref[transaction], failure) {
	a, tx := t.d.a, t.tx
	if (tr.OffsetsSize|tr.BuffersSize)%8 != 0 {
		return 0, failed(syscall.EINVAL)
	}
	target := to.proc.In(a)
	if target.space == 0 || target.unmapped {
		return 0, failure{abi.BR_DEAD_REPLY, syscall.ESRCH}
	}
	oneway := !reply && tr.Flags&abi.TF_ONE_WAY != 0
	var req alloc.Request // filled in place: a literal is copied, and waits for its stores
	req.Data, req.Offsets, req.Extra = tr.DataSize, tr.OffsetsSize, tr.BuffersSize
	req.Async, req.PID = oneway, t.p.identity.PID
	var n *node // nil: it is a reply
	if to.node != 0 {
		n = to.node.In(a)
	}
	secCtx := n != nil && n.securityCtx
	if secCtx {
		if t.p.identity.SecurityContext == "" {
			return 0, failed(syscall.EINVAL)
		}
		req.Extra += align8(uint64(len(t.p.identity.SecurityContext)) + 1)
	}
	if limit := t.d.limits.buffers(oneway); limit > 0 && int(target.space.In(a).Buffers) >= limit {
		return 0, failed(syscall.ENOSPC)
	}
	b, err := alloc.Alloc(tx, target.space, &req, uint32(id))
	if err != nil {
		return 0, allocFailure(err)
	}
	x, p, err := t.newTransaction()
	if err != nil {
		alloc.Free(tx, target.space, b)
		return 0, failed(syscall.ENOMEM)
	}
	buf := b.Edit(tx)
	buf.Transaction, buf.ClearOnFree = uint32(x), tr.Flags&abi.TF_CLEAR_BUF != 0
	if n != nil {
		buf.Node = uint32(to.node)
		n.Edit(tx)
		n.localStrong++
	}
	p.toProc, p.buffer = to.proc, b
	p.id, p.sender, p.replyTo, p.reply, p.hasSecCtx = id, t.ref, to.inReplyTo, reply, secCtx
	p.code, p.flags = tr.Code, tr.Flags
	p.fromPID, p.fromTID, p.senderPID, p.senderEUID = t.p.identity.PID, t.key, 0, t.p.identity.EUID
	if !reply {
		p.toThread = to.thread
	}
	if !reply && !oneway {
		p.from, p.senderPID = t.ref, t.p.identity.PID
	}
	t.rec.Edit(tx)
	t.rec.building = x
	if to.thread != 0 && !reply {
		to.thread.In(a).rest.edit(tx).pins++
	}
	t.rec.stats.Transactions++
	return x, failure{}
}

// newTransaction is an empty transaction: the one that the thread has to spare,
// if it has one.
func (t *Thread) newTransaction() (x arena.Ref[transaction], p *transaction, err error) {
	if x = t.rec.spare; x != 0 {
		t.rec.Edit(t.tx)
		t.rec.spare = 0
		p = x.In(t.d.a)
		p.transactionState = transactionState{Work: Work{Header: p.Header}}
		p.Renew(t.tx)
	} else {
		if x, err = transactions.New(t.tx); err != nil {
			return 0, nil, err
		}
		p = x.Edit(t.tx)
	}
	p.kind = workTransaction
	return x, p, nil
}

func allocFailure(err error) failure {
	switch {
	case errors.Is(err, alloc.ErrNoSpace):
		return failed(syscall.ENOSPC)
	case errors.Is(err, alloc.ErrTooLarge):
		return failed(syscall.EINVAL)
	}
	return failed(syscall.ENOMEM)
}

// endBuild lets go of the target's records.
func (t *Thread) endBuild(x arena.Ref[transaction]) {
	t.rec.Edit(t.tx)
	t.rec.building = 0
	x.In(t.d.a).unpin(t.tx)
}

func (x *transaction) unpin(tx *arena.Tx) {
	if x.toThread != 0 {
		x.toThread.In(tx.Arena()).rest.edit(tx).pins--
	}
}

// abortBuild cleans up what a thread left that died while it filled a buffer.
func (d *Driver) abortBuild(tx *arena.Tx, t arena.Ref[thread], x arena.Ref[transaction]) {
	t.Edit(tx).building = 0
	p := x.In(d.a)
	p.unpin(tx)
	call := p.replyTo
	d.discard(tx, x)
	if call != 0 {
		d.failReply(tx, call, abi.BR_DEAD_REPLY)
	}
}

// discard frees a transaction that was not sent, with its buffer, and what of
// its target only waited for it.
func (d *Driver) discard(tx *arena.Tx, x arena.Ref[transaction]) {
	p := x.In(d.a)
	to, th := p.toProc, p.toThread
	d.dropFixups(tx, x)
	if b := d.bufferOf(x); b != 0 {
		d.freeBuffer(tx, to, b)
	}
	transactions.Free(tx, x)
	if th != 0 {
		d.freeThread(tx, th)
	}
	d.freeProc(tx, to)
}

// fill copies the payload to where it is read, gives it its pages first, and
// translates the objects in it. The lock is not held.
func (t *Thread) fill(x arena.Ref[transaction], tr *abi.TransactionDataSG) failure {
	p := x.In(t.d.a)
	block, f := t.block(p.toProc, p.buffer)
	if f.code != 0 {
		return f
	}
	data := block[:tr.DataSize]
	if len(data) > 0 {
		if err := t.task.CopyFromUser(data, tr.Buffer); err != nil {
			return copyFailure(err)
		}
		t.copies.PayloadFromUser += tr.DataSize
	}
	if p.hasSecCtx {
		t.fillSecurityContext(x, block)
	}
	if tr.OffsetsSize == 0 {
		return failure{}
	}
	offsets := block[align8(tr.DataSize):][:tr.OffsetsSize]
	if err := t.task.CopyFromUser(offsets, tr.Offsets); err != nil {
		return copyFailure(err)
	}
	t.copies.HeaderFromUser += tr.OffsetsSize
	tl := translation{t: t, x: x, to: p.toProc, block: block, data: data, offsets: offsets,
		base: p.toProc.In(t.d.a).base + uint64(p.buffer.In(t.d.a).Offset)}
	tl.sg = align8(tr.DataSize) + align8(tr.OffsetsSize)
	tl.sgEnd = tl.sg + tr.BuffersSize
	return tl.run()
}

// copyFailure is what a copy from the sender's memory that fails comes to. Who
// waits for a reply that a dying process was sending is told of its death.
func copyFailure(err error) failure {
	if errors.Is(err, syscall.ESRCH) {
		return failure{abi.BR_DEAD_REPLY, syscall.ESRCH}
	}
	return failed(syscall.EFAULT)
}

// block is the driver's view of a buffer, with storage behind all of it.
func (t *Thread) block(to arena.Ref[proc], b arena.Ref[alloc.Buffer]) ([]byte, failure) {
	target, buf := to.In(t.d.a), b.In(t.d.a)
	id := ProcID(target.id)
	if t.windowOf != id || t.window == nil {
		w, err := t.d.window(to)
		if err != nil {
			return nil, failure{abi.BR_DEAD_REPLY, syscall.ESRCH}
		}
		t.window, t.windowOf = w, id
	}
	if off, n := alloc.Missing(t.d.a, target.space, b); n > 0 {
		t.tx.Called(1)
		if err := t.d.host.Populate(id, off, n); err != nil {
			return nil, failed(syscall.ENOMEM)
		}
		t.lock()
		alloc.Populated(t.tx, target.space, b)
		t.unlock()
	}
	end := uint64(buf.Offset) + uint64(buf.Size)
	if end > uint64(len(t.window)) {
		return nil, failed(syscall.ENOSPC)
	}
	return t.window[buf.Offset:end:end], failure{}
}

// window is the driver's view of a process's region.
func (d *Driver) window(r arena.Ref[proc]) ([]byte, error) {
	p := r.In(d.a)
	return d.host.Window(ProcID(p.id), int(p.rest.length))
}

// fillSecurityContext puts the sender's context behind everything else.
func (t *Thread) fillSecurityContext(x arena.Ref[transaction], block []byte) {
	s := t.p.identity.SecurityContext
	at := uint64(len(block)) - align8(uint64(len(s))+1)
	n := copy(block[at:], s)
	block[at+uint64(n)] = 0
	t.lock()
	x.Edit(t.tx).secCtx = uint32(at)
	t.unlock()
}

// sendRequest queues a call. A synchronous one goes on the sender's stack; its
// completion is read with whatever comes next.
func (t *Thread) sendRequest(x arena.Ref[transaction], to route) failure {
	d, tx := t.d, t.tx
	p := x.Edit(tx)
	if p.flags&abi.TF_ONE_WAY != 0 {
		code, f := d.queue(tx, x, to.thread, t.ref)
		if f.code != 0 {
			return f
		}
		if code == abi.BR_TRANSACTION_COMPLETE && p.buffer.In(d.a).Spam && t.proc.In(d.a).spamDetection {
			code = abi.BR_ONEWAY_SPAM_SUSPECT
		}
		if code == abi.BR_TRANSACTION_COMPLETE {
			t.complete(false)
		} else {
			d.notify(tx, t.ref, code, ofNothing, false)
		}
		return failure{}
	}
	p.needReply = true
	p.fromParent = t.rec.stack
	if _, f := d.queue(tx, x, to.thread, t.ref); f.code != 0 {
		return f
	}
	t.rec.Edit(tx)
	t.rec.stack = x
	t.complete(true)
	return failure{}
}

// queue gives a call to its target, or says why the target cannot have it. The
// code is what tells the sender of a oneway call that it is done.
func (d *Driver) queue(tx *arena.Tx, x arena.Ref[transaction], th, from arena.Ref[thread]) (abi.Return, failure) {
	p := x.In(d.a)
	r := p.toProc
	to := r.In(d.a)
	oneway := p.flags&abi.TF_ONE_WAY != 0
	if to.frozen {
		to = r.Edit(tx)
		to.syncRecv = to.syncRecv || !oneway
		to.asyncRecv = to.asyncRecv || oneway
	}
	if to.dead || th != 0 && th.In(d.a).dead {
		return 0, failure{abi.BR_DEAD_REPLY, 0}
	}
	if to.frozen && !oneway {
		return 0, failure{abi.BR_FROZEN_REPLY, 0}
	}
	if !oneway || d.startAsync(tx, x) {
		if th == 0 {
			th = to.waiting
		}
		d.hand(tx, x, r, th, from)
	}
	if to.frozen {
		return abi.BR_TRANSACTION_PENDING_FROZEN, failure{}
	}
	return abi.BR_TRANSACTION_COMPLETE, failure{}
}

// startAsync says whether a oneway call is its node's only one. Otherwise it waits
// for its turn behind the one that is under way.
func (d *Driver) startAsync(tx *arena.Tx, x arena.Ref[transaction]) bool {
	r := arena.Ref[node](x.In(d.a).buffer.In(d.a).Node)
	n := r.Edit(tx)
	if n.hasAsync {
		d.replaceOutdated(tx, x, r)
		enqueue(tx, arena.Ref[Work](x), nodeAsync, uint32(r))
		return false
	}
	n.hasAsync = true
	return true
}

// hand gives a transaction to a thread, or to the process if there is none. A
// thread that has nothing else to read finds it in its mailbox.
func (d *Driver) hand(tx *arena.Tx, x arena.Ref[transaction], r arena.Ref[proc], th, from arena.Ref[thread]) {
	d.sends(EventQueue, x)
	if th == 0 {
		enqueueProc(tx, arena.Ref[Work](x), r)
		return
	}
	p := th.In(d.a)
	if p.armed {
		d.sends(EventWake, x)
	}
	if x.In(d.a).fixups == 0 && p.canPost() {
		d.post(tx, x, th, p, from)
		return
	}
	enqueueThread(tx, arena.Ref[Work](x), th)
	wake(tx, th)
}

// sendReply queues a reply to the thread that waits for it, whose call ends.
func (t *Thread) sendReply(x arena.Ref[transaction], to route) failure {
	d, tx := t.d, t.tx
	call := to.inReplyTo.In(d.a)
	caller := call.from
	if caller == 0 || to.proc.In(d.a).dead {
		return failure{abi.BR_DEAD_REPLY, 0}
	}
	if !t.terse {
		t.complete(false)
	} else if th := t.ref.Edit(tx); th.todo.First != 0 {
		th.processTodo = true // what was put off until the completion is to be read now
	}
	caller.Edit(tx).stack = call.fromParent
	d.freeTransaction(tx, to.inReplyTo, caller)
	d.hand(tx, x, to.proc, caller, t.ref)
	return failure{}
}

// freeTransaction frees a transaction that is over. Its buffer lives on until
// its receiver frees it. A thread, if one is given, has it to spare for what it
// sends next: best the one that sent it, in whose caches it is.
func (d *Driver) freeTransaction(tx *arena.Tx, x arena.Ref[transaction], keeper arena.Ref[thread]) {
	if keeper != 0 {
		if th := keeper.Edit(tx); th.spare == 0 {
			th.spare = x
			return
		}
	}
	transactions.Free(tx, x)
}

// fail tells a sender that its command failed. The sender of a reply only
// learns that it is done with the call; the error goes to who made it.
func (t *Thread) fail(inReplyTo arena.Ref[transaction], id uint64, f failure) {
	d, tx := t.d, t.tx
	code := f.code
	if inReplyTo != 0 {
		if from := inReplyTo.In(d.a).from; from != 0 {
			d.setExtended(tx, from, id, f)
		}
		code = abi.BR_TRANSACTION_COMPLETE
	} else {
		d.setExtended(tx, t.ref, id, f)
	}
	t.ref.Edit(tx).failed = true
	t.rec.rest.edit(tx).returnError = code
	d.notify(tx, t.ref, code, ofCommand, false)
	if inReplyTo != 0 {
		d.failReply(tx, inReplyTo, f.code)
	}
}

// setExtended keeps why a thread's command failed until it asks, or sends again.
func (d *Driver) setExtended(tx *arena.Tx, r arena.Ref[thread], id uint64, f failure) {
	th := r.Edit(tx)
	th.failed = true
	th.rest.edit(tx).extended = abi.ExtendedError{ID: uint32(id), Command: uint32(f.code), Param: -int32(f.param)}
}

// mustRead says whether a command of the thread failed in a way that it has to read
// before it may write more.
func (t *Thread) mustRead() bool { return t.rec.failed && t.rec.rest.returnError != 0 }

// failReply ends a call with an error instead of a reply. If the thread that
// made it is gone, the error goes to the one that waits for that thread, and
// so on.
func (d *Driver) failReply(tx *arena.Tx, x arena.Ref[transaction], code abi.Return) {
	for x != 0 {
		p := x.In(d.a)
		from, parent := p.from, p.fromParent
		if from != 0 {
			from.Edit(tx).stack = parent
			d.freeTransaction(tx, x, 0)
			if th := from.In(d.a); th.rest.replyError == 0 {
				th.rest.edit(tx).replyError = code
				d.notify(tx, from, code, ofReply, false)
				wake(tx, from)
			}
			return
		}
		d.freeTransaction(tx, x, 0)
		x = parent
	}
}

func align8(n uint64) uint64 { return (n + 7) &^ 7 }

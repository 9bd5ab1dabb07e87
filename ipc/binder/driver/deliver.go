package driver

import (
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// mail is a transaction as its receiver reads it, packed so that it and the word
// that the receiver sleeps on are one cache line.
type mail struct {
	target, cookie uint64
	buffer         uint64 // its address
	data, offsets  uint32 // bytes
	code           uint32
	flags          abi.TransactionFlags
	senderPID      int32
	senderEUID     uint32
	secCtx         uint32 // where in the buffer, if hasSecCtx
	reply          bool
	hasSecCtx      bool
	complete       bool // BR_TRANSACTION_COMPLETE comes first
}

// unpack is what the receiver is told.
func (m *mail) unpack(d *abi.TransactionDataSecCtx) (code abi.Return) {
	d.Target, d.Cookie, d.Code, d.Flags = m.target, m.cookie, m.code, m.flags
	d.SenderPID, d.SenderEUID = m.senderPID, m.senderEUID
	d.DataSize, d.OffsetsSize = uint64(m.data), uint64(m.offsets)
	d.Buffer, d.Offsets = m.buffer, m.buffer+align8(uint64(m.data))
	switch {
	case m.reply:
		return abi.BR_REPLY
	case m.hasSecCtx:
		d.SecCtx = m.buffer + uint64(m.secCtx)
		return abi.BR_TRANSACTION_SEC_CTX
	}
	return abi.BR_TRANSACTION
}

// canPost says whether a thread will read what comes next from its mailbox: it
// has nothing else to read, and its mailbox is empty.
func (th *thread) canPost() bool {
	return th.todo.First == 0 && !th.needReturn && th.overflow == 0 && (th.armed || th.mailRead.Load() == th.mailFor)
}

// post delivers a transaction to the mailbox of a thread, and wakes it. The
// mailbox holds for that wake-up; if this process dies before it commits, the
// undone mark leaves it empty.
func (d *Driver) post(tx *arena.Tx, x arena.Ref[transaction], r arena.Ref[thread], th *thread, from arena.Ref[thread]) {
	th.Edit(tx)
	d.deliver(tx, x, r, from, &th.mail)
	th.mail.complete = th.complete
	th.complete = false
	th.mailFor = th.wait.Number() + 1
	th.armed = false
	if th.idle {
		unidle(tx, r)
	}
	tx.Wake(&th.wait)
}

// hasMail says whether the mailbox holds something that was not read. The lock
// is held, or mailArrived was true.
func (t *Thread) hasMail() bool { return t.rec.hasMail() }

func (th *thread) hasMail() bool { return th.mailFor != th.mailRead.Load() }

// mailArrived is hasMail for a thread that does not have the lock. It sees only
// mail of the latest wake-up: that of a sender which has not committed is for the
// one after it. Mail that was overtaken by another wake-up, such as recovery
// sends to all, is found under the lock.
func (t *Thread) mailArrived() bool {
	return t.hasMail() && t.rec.mailFor == t.rec.wait.Number()
}

// dropMail throws away what a thread did not read that ends. A call is still on
// its stack.
func (d *Driver) dropMail(tx *arena.Tx, r arena.Ref[thread]) {
	th := r.Edit(tx)
	if !th.hasMail() {
		return
	}
	th.mailFor = th.mailRead.Load()
	p := th.proc.In(d.a)
	b := alloc.Find(d.a, p.space, uint32(th.mail.buffer-p.base))
	if b == 0 {
		return
	}
	if n := arena.Ref[node](b.In(d.a).Node); n != 0 && b.In(d.a).Async {
		d.nextAsync(tx, n)
	}
	d.freeBuffer(tx, th.proc, b)
}

// deliver turns a transaction into what its receiver reads. A call goes on the
// receiver's stack; a reply or a oneway call is over, and the keeper's to spare.
func (d *Driver) deliver(tx *arena.Tx, x arena.Ref[transaction], r, keeper arena.Ref[thread], m *mail) {
	p := x.In(d.a)
	b := p.buffer.In(d.a)
	m.target, m.cookie, m.reply = 0, 0, true
	if r := arena.Ref[node](b.Node); r != 0 {
		n := r.In(d.a)
		m.target, m.cookie, m.reply = n.rest.ptr, n.rest.cookie, false
	}
	m.buffer = p.toProc.In(d.a).base + uint64(b.Offset)
	m.data, m.offsets = b.Data, b.Offsets
	m.code, m.flags, m.senderEUID = p.code, p.flags, p.senderEUID
	m.senderPID = 0
	if p.from != 0 {
		m.senderPID = p.senderPID
	}
	m.hasSecCtx, m.secCtx = p.hasSecCtx, p.secCtx
	if p.needReply {
		th := r.Edit(tx)
		p.Edit(tx)
		p.toParent, p.toThread = th.stack, r
		th.stack = x
		return
	}
	d.freeTransaction(tx, x, keeper)
}

// undeliver takes a call back that its receiver could not read: the sender is
// told that it failed.
func (t *Thread) undeliver(x arena.Ref[transaction]) {
	d, tx := t.d, t.tx
	p := x.Edit(tx)
	t.ref.Edit(tx).stack = p.toParent
	b := d.bufferOf(x)
	d.failReply(tx, x, abi.BR_FAILED_REPLY)
	if b != 0 {
		d.freeBuffer(tx, t.proc, b)
	}
}

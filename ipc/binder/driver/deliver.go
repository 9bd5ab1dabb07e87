package driver

import (
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// mail is a transaction as its receiver reads it.
type mail struct {
	code     abi.Return
	complete bool // BR_TRANSACTION_COMPLETE comes first
	data     abi.TransactionDataSecCtx
}

// post delivers a transaction to the mailbox of a thread that sleeps. The
// mailbox holds for the wake-up that follows; if this process dies before it
// commits, the undone mark leaves it empty.
func (d *Driver) post(tx *arena.Tx, x arena.Ref[transaction], r arena.Ref[thread]) {
	th := r.Edit(tx)
	d.deliver(tx, x, r, &th.mail)
	th.mail.complete = th.complete
	th.complete = false
	th.mailFor = th.wait.Number() + 1
}

// hasMail says whether the mailbox holds something that was not read. The lock
// is held, or mailArrived was true.
func (t *Thread) hasMail() bool { return t.rec.mailFor != t.mailRead }

// mailArrived is hasMail for a thread that was woken and does not have the
// lock. It sees only mail of the latest wake-up: that of a sender which has not
// committed is for the one after it. Mail that was overtaken by another wake-up,
// such as recovery sends to all, is found under the lock.
func (t *Thread) mailArrived() bool {
	n := t.rec.mailFor
	return n != t.mailRead && n == t.rec.wait.Number()
}

// deliver turns a transaction into what its receiver reads. A call goes on the
// receiver's stack; a reply or a oneway call is over.
func (d *Driver) deliver(tx *arena.Tx, x arena.Ref[transaction], r arena.Ref[thread], m *mail) {
	p := x.In(d.a)
	b := p.buffer.Edit(tx)
	base := p.toProc.In(d.a).base + uint64(b.Offset)
	m.code, m.complete = abi.BR_REPLY, false
	m.data = abi.TransactionDataSecCtx{TransactionData: abi.TransactionData{
		Code: p.code, Flags: p.flags, SenderEUID: p.senderEUID,
		DataSize: uint64(b.Data), OffsetsSize: uint64(b.Offsets),
		Buffer: base, Offsets: base + align8(uint64(b.Data)),
	}}
	if n := arena.Ref[node](b.Node); n != 0 {
		m.code = abi.BR_TRANSACTION
		m.data.Target, m.data.Cookie = n.In(d.a).ptr, n.In(d.a).cookie
	}
	if p.from != 0 {
		m.data.SenderPID = p.senderPID
	}
	if p.hasSecCtx {
		m.code, m.data.SecCtx = abi.BR_TRANSACTION_SEC_CTX, base+uint64(p.secCtx)
	}
	b.UserFree = true
	if p.needReply {
		th := r.Edit(tx)
		p = x.Edit(tx)
		p.toParent, p.toThread = th.stack, r
		th.stack = x
		return
	}
	d.freeTransaction(tx, x, r)
}

// undeliver takes a call back that its receiver could not read: the sender is
// told that it failed.
func (t *Thread) undeliver(x arena.Ref[transaction]) {
	d, tx := t.d, t.tx
	p := x.Edit(tx)
	t.ref.Edit(tx).stack = p.toParent
	b := p.buffer
	d.failReply(tx, x, abi.BR_FAILED_REPLY)
	d.freeBuffer(tx, t.proc, b)
}

package binder

import (
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/parcel"
)

// BytesHandler serves calls whose payload is plain bytes, without Parcels: it
// sees the request in the receive region, and its reply is copied from its own
// memory straight into the caller's region.
type BytesHandler interface {
	// OnBytes serves one call. request may be read until it returns. The
	// reply must stay unchanged until the thread's next call; it may be
	// (a part of) the request. An error becomes a Status, as with Handler.
	OnBytes(call *Call, request []byte) (reply []byte, err error)
}

// NewBytesBinder makes an object that serves bytes. It accepts neither
// descriptors nor calls within this process, and leaves the standard
// transactions but PingTransaction to the handler.
func (ps *ProcessState) NewBytesBinder(h BytesHandler) *Binder {
	return ps.locals.add(&Binder{ps: ps, bytes: h, stability: parcel.StabilitySystem})
}

// freedLate is the size in bytes of buffers that are freed behind the transaction that
// goes out with them, so that its receiver is woken first. Larger ones are freed before
// it: their room may be needed for the answer, and a sender does well to find the
// same memory again.
const freedLate = 4096

// TransactBytes calls a handle with plain bytes, which the driver copies from
// where they are. The reply lies in the receive region and may be read until
// the thread's next call or Detach; until then, the thread keeps the payload, too.
// Nothing is allocated.
func (t *IPCThreadState) TransactBytes(handle, code uint32, payload []byte, flags abi.TransactionFlags) (reply []byte, err error) {
	if err := t.begin(); err != nil {
		return nil, err
	}
	defer t.end()
	late := t.repliedSize <= freedLate
	if !late {
		t.freeReply()
	}
	tr := abi.TransactionData{Target: uint64(handle), Code: code, Flags: flags}
	t.describeBytes(&tr, payload)
	if err := t.queueTransaction(abi.BC_TRANSACTION, &tr); err != nil {
		return nil, err
	}
	if late {
		t.freeReply()
	}
	var answer abi.TransactionData
	err = t.waitForResponse(&answer, flags&abi.TF_ONE_WAY != 0)
	if err != nil || flags&abi.TF_ONE_WAY != 0 {
		return nil, err
	}
	t.replied, t.repliedSize = answer.Buffer, answer.DataSize
	reply, err = t.ps.bytes(answer.Buffer, answer.DataSize)
	if err == nil && answer.Flags&abi.TF_STATUS_CODE != 0 {
		return nil, decodeStatus(reply)
	}
	return reply, err
}

func (t *IPCThreadState) describeBytes(tr *abi.TransactionData, payload []byte) {
	if len(payload) == 0 {
		return
	}
	tr.Buffer, tr.DataSize = t.payload.address(payload), uint64(len(payload))
}

// freeReply gives the buffer of the last reply back with the next write.
func (t *IPCThreadState) freeReply() {
	if t.replied != 0 {
		t.queueUint64(abi.BC_FREE_BUFFER, t.replied)
		t.replied = 0
	}
}

// serveBytes has a transaction served in place. The buffer is freed in the same
// write as the reply, before it, unless the reply lies in it.
func (t *IPCThreadState) serveBytes(b *Binder, call *Call, tr *abi.TransactionData, request []byte) error {
	if tr.Code == PingTransaction {
		t.queueUint64(abi.BC_FREE_BUFFER, tr.Buffer)
		return t.sendReply(call, &abi.TransactionData{})
	}
	payload, err := b.bytes.OnBytes(call, request)
	if err != nil {
		t.queueUint64(abi.BC_FREE_BUFFER, tr.Buffer)
		return t.replyStatus(call, statusOf(err))
	}
	var reply abi.TransactionData
	t.describeBytes(&reply, payload)
	inRegion := reply.Buffer-t.ps.base < uint64(len(t.ps.region))
	if !inRegion {
		return t.sendBytes(call, &reply, tr)
	}
	err = t.sendReply(call, &reply)
	t.queueUint64(abi.BC_FREE_BUFFER, tr.Buffer)
	return err
}

// sendBytes is sendReply for a payload that stays where it is until the thread's next
// call, and frees the request. A terse looper leaves the writing to its next read, out
// of which it then comes without all the functions that made the reply: after a switch
// of processes, the CPU mispredicts every return.
func (t *IPCThreadState) sendBytes(call *Call, reply, request *abi.TransactionData) error {
	late := t.terse && !call.OneWay() && !t.in.More()
	if !late || request.DataSize > freedLate {
		t.queueUint64(abi.BC_FREE_BUFFER, request.Buffer)
	}
	if !late {
		return t.sendReply(call, reply)
	}
	reply.Flags |= call.Flags & abi.TF_CLEAR_BUF
	err := t.queueTransaction(abi.BC_REPLY, reply)
	if request.DataSize <= freedLate {
		t.queueUint64(abi.BC_FREE_BUFFER, request.Buffer)
	}
	return err
}

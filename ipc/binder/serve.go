package binder

import (
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/parcel"
)

// Call is one call as its handler sees it, good until the handler returns.
type Call struct {
	Code  uint32
	Flags abi.TransactionFlags
	// SenderPID is the calling process as the driver knows it, 0 for a
	// one-way call; SenderEUID is its effective user.
	SenderPID  int32
	SenderEUID uint32
	// Data and Reply are the two Parcels of a Handler.
	Data, Reply *parcel.Parcel

	ps     *ProcessState
	thread *IPCThreadState
}

// ProcessState is the process that is called.
func (c *Call) ProcessState() *ProcessState { return c.ps }

// Thread is the thread that serves the call, nil where the caller is this
// process itself.
func (c *Call) Thread() *IPCThreadState { return c.thread }

// OneWay says whether nobody waits for the reply.
func (c *Call) OneWay() bool { return c.Flags&abi.TF_ONE_WAY != 0 }

// pushCall is the Call for one more level of nesting. The thread keeps them, with
// their Parcels, for the next calls.
func (t *IPCThreadState) pushCall(tr *abi.TransactionData) *Call {
	if t.depth == len(t.calls) {
		t.calls = append(t.calls, &Call{Data: new(parcel.Parcel), Reply: new(parcel.Parcel), ps: t.ps, thread: t})
	}
	call := t.calls[t.depth]
	t.depth++
	call.Code, call.Flags = tr.Code, tr.Flags
	call.SenderPID, call.SenderEUID = tr.SenderPID, tr.SenderEUID
	return call
}

// serve has a transaction served by the object it is meant for, and answers.
func (t *IPCThreadState) serve(tr *abi.TransactionData) error {
	data, err := t.ps.bytes(tr.Buffer, tr.DataSize)
	if err != nil {
		return err
	}
	call := t.pushCall(tr)
	switch b := t.object(tr.Cookie); {
	case b == nil:
		t.FreeBuffer(tr.Buffer)
		err = t.replyStatus(call, DeadObject)
	case b.bytes != nil:
		err = t.serveBytes(b, call, tr, data)
	default:
		err = t.serveParcel(b, call, tr, data)
	}
	t.depth--
	return err
}

func (t *IPCThreadState) serveParcel(b *Binder, call *Call, tr *abi.TransactionData, data []byte) error {
	offsets, err := t.ps.bytes(tr.Offsets, tr.OffsetsSize)
	if err != nil {
		return err
	}
	call.Data.Receive(data, offsets, t, tr.Buffer)
	err = b.onTransact(call)
	call.Data.Reset()
	defer call.Reply.Reset()
	if err != nil {
		return t.replyStatus(call, statusOf(err))
	}
	var reply abi.TransactionData
	t.describe(&reply, call.Reply)
	defer t.pinner.Unpin()
	return t.sendReply(call, &reply)
}

// replyStatus answers with nothing but a status.
func (t *IPCThreadState) replyStatus(call *Call, status Status) error {
	payload := t.memory[statusAt : statusAt+4]
	v := abi.Version{ProtocolVersion: int32(status)}
	v.Encode(payload)
	return t.sendReply(call, &abi.TransactionData{Flags: abi.TF_STATUS_CODE,
		Buffer: sys.Address(payload), DataSize: uint64(len(payload))})
}

// sendReply writes the reply, and the BC_FREE_BUFFER that is queued before it,
// and waits until the driver has taken it. There is none to a one-way call.
func (t *IPCThreadState) sendReply(call *Call, reply *abi.TransactionData) error {
	if call.OneWay() {
		return nil
	}
	reply.Flags |= call.Flags & abi.TF_CLEAR_BUF
	if err := t.queueTransaction(abi.BC_REPLY, reply); err != nil {
		return err
	}
	return t.finishReply(call)
}

// finishReply talks to the driver until it has taken the reply. A process that
// is closing still sends the reply, but does not wait for more.
func (t *IPCThreadState) finishReply(call *Call) error {
	if t.terse && len(call.Reply.Objects()) > 0 {
		return t.talk(0) // the reply's objects are let go of before the thread waits for more
	}
	if t.terse && (t.ps.closing.Load() || t.ps.pool.suspended.Load()) {
		return t.talk(0) // who sends the threads home may have been here
	}
	if !t.in.More() {
		if err := t.talk(inSize); err != nil {
			return err
		}
	}
	if t.terse {
		return nil // what was read is the next work
	}
	for {
		ret, payload, err := t.next()
		if err != nil {
			return err
		}
		switch ret {
		case abi.BR_TRANSACTION_COMPLETE:
			return nil
		case abi.BR_FAILED_REPLY, abi.BR_DEAD_REPLY:
			return fmt.Errorf("binder: the driver refuses a reply: %v: %w", ret, unix.EPROTO)
		}
		if err := t.execute(ret, payload); err != nil {
			return err
		}
	}
}

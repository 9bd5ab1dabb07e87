package binder

import (
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/parcel"
)

// Transact is IBinder.Transact on a handle of the process, by a thread that is
// attached. Unlike there, the reply's buffer goes back to the driver with the
// thread's next call, so reply is to be reset on this thread, too.
func (t *IPCThreadState) Transact(handle, code uint32, data, reply *parcel.Parcel, flags abi.TransactionFlags) error {
	return t.transact(handle, code, data, reply, flags, t)
}

// transact calls a handle; the reply's buffer is given back through region.
func (t *IPCThreadState) transact(handle, code uint32, data, reply *parcel.Parcel, flags abi.TransactionFlags, region parcel.Region) error {
	if err := t.begin(); err != nil {
		return err
	}
	defer t.end()
	tr := abi.TransactionData{Target: uint64(handle), Code: code, Flags: flags | abi.TF_ACCEPT_FDS}
	t.describe(&tr, data)
	defer t.pinner.Unpin()
	if err := t.queueTransaction(abi.BC_TRANSACTION, &tr); err != nil {
		return err
	}
	var answer abi.TransactionData
	err := t.waitForResponse(&answer, flags&abi.TF_ONE_WAY != 0)
	if err != nil || flags&abi.TF_ONE_WAY != 0 {
		return err
	}
	return t.receive(&answer, reply, region)
}

// describe fills in where the contents of a Parcel are, and pins them.
func (t *IPCThreadState) describe(tr *abi.TransactionData, p *parcel.Parcel) {
	if p == nil {
		return
	}
	data, objects := p.Bytes(), p.Objects()
	if len(data) > 0 {
		t.pinner.Pin(&data[0])
		tr.Buffer, tr.DataSize = sys.Address(data), uint64(len(data))
	}
	if len(objects) > 0 {
		t.pinner.Pin(&objects[0])
		tr.Offsets, tr.OffsetsSize = sys.Address64(objects), uint64(len(objects))*8
	}
}

// waitForResponse acts on what the driver says until the call that was queued
// last is over: taken, if it is one-way, or answered. The answer is decoded where its
// reader has it: to copy it at once would mean to wait for its stores.
func (t *IPCThreadState) waitForResponse(answer *abi.TransactionData, oneway bool) error {
	for {
		ret, payload, err := t.next()
		if err != nil {
			return err
		}
		switch ret {
		case abi.BR_ONEWAY_SPAM_SUSPECT:
			t.ps.options.onewaySpam()
			if oneway {
				return nil
			}
		case abi.BR_TRANSACTION_COMPLETE, abi.BR_TRANSACTION_PENDING_FROZEN:
			if oneway {
				return nil
			}
		case abi.BR_DEAD_REPLY, abi.BR_FAILED_REPLY, abi.BR_FROZEN_REPLY:
			return t.transactionError(ret)
		case abi.BR_REPLY:
			answer.Decode(payload)
			return nil
		default:
			if err := t.execute(ret, payload); err != nil {
				return err
			}
		}
	}
}

// transactionError asks the driver why a transaction failed. Drivers before
// 5.19 do not know.
func (t *IPCThreadState) transactionError(ret abi.Return) error {
	e := &TransactionError{Return: ret}
	var extended abi.ExtendedError
	if t.ioctl(abi.BINDER_GET_EXTENDED_ERROR, abi.SizeofExtendedError) == nil {
		extended.Decode(t.argument())
	}
	if extended.Command == uint32(ret) {
		e.Errno = unix.Errno(-extended.Param)
	}
	return e
}

// receive makes an answer what the caller gets.
func (t *IPCThreadState) receive(answer *abi.TransactionData, reply *parcel.Parcel, region parcel.Region) error {
	data, err := t.ps.bytes(answer.Buffer, answer.DataSize)
	if err != nil {
		return err
	}
	if answer.Flags&abi.TF_STATUS_CODE != 0 {
		status := decodeStatus(data)
		region.FreeBuffer(answer.Buffer)
		return status
	}
	if reply == nil {
		var unwanted parcel.Parcel
		reply = &unwanted
		defer unwanted.Reset()
	}
	offsets, err := t.ps.bytes(answer.Offsets, answer.OffsetsSize)
	if err != nil {
		return err
	}
	reply.Receive(data, offsets, region, answer.Buffer)
	return nil
}

func decodeStatus(data []byte) error {
	if len(data) < 4 {
		return fmt.Errorf("binder: a status of %d bytes: %w", len(data), parcel.ErrShort)
	}
	if status := Status(abi.Uint32(data)); status != OK {
		return status
	}
	return nil
}

// FreeBuffer gives a buffer of the receive region back with whatever the
// thread writes next. It is called through received Parcels.
func (t *IPCThreadState) FreeBuffer(address uint64) {
	if t.begin() != nil {
		return // the region is gone, and the buffer with it
	}
	defer t.end()
	t.queueUint64(abi.BC_FREE_BUFFER, address)
}

// FreeBuffer gives a buffer of the receive region back, at once unless the
// calling goroutine is in a handler. It is called through received Parcels.
func (ps *ProcessState) FreeBuffer(address uint64) {
	ps.do(func(t *IPCThreadState) error {
		t.FreeBuffer(address)
		if t.pool {
			return nil
		}
		return t.flush()
	})
}

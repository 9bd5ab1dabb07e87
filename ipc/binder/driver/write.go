package driver

import (
	"encoding/binary"
	"syscall"

	"ipcbench/ipc/binder/abi"
)

// input is the stream of commands that a thread writes, read from its memory
// in pieces that are much larger than a command, so that the lock can be held
// from one command to the next.
type input struct {
	next    uint64 // address of the next byte
	end     uint64
	at, got int // where the next byte lies in the piece, and how far that is filled
	piece   [512]byte
}

// need sees to it that the next n bytes of the stream are in the piece. The lock
// may be given back for it.
func (t *Thread) need(n int) error {
	if t.in.got-t.in.at >= n {
		return nil
	}
	return t.fetch(n)
}

// fetch copies the next piece: what there is of the stream, or just the n
// bytes that are needed if the memory ends behind them. A command may reach
// over the end of the stream, as with the kernel.
func (t *Thread) fetch(n int) error {
	t.unlock()
	in := &t.in
	in.at, in.got = 0, 0
	want := n
	if in.next < in.end {
		want = max(n, int(min(in.end-in.next, uint64(len(in.piece)))))
	}
	err := t.task.CopyFromUser(in.piece[:want], in.next)
	if err != nil && want > n {
		want = n
		err = t.task.CopyFromUser(in.piece[:want], in.next)
	}
	if err != nil {
		return syscall.EFAULT
	}
	t.copies.HeaderFromUser += uint64(want)
	in.got = want
	return nil
}

// write executes commands until the stream ends or one of them failed in a way
// that the thread has to read first.
func (t *Thread) write() error {
	in, bwr := &t.in, &t.bwr
	in.at, in.got = 0, 0
	in.next, in.end = bwr.WriteBuffer+bwr.WriteConsumed, bwr.WriteBuffer+bwr.WriteSize
	for in.next < in.end && !t.mustRead() {
		if err := t.need(sizeofCommand); err != nil {
			return err
		}
		cmd := abi.Command(binary.NativeEndian.Uint32(in.piece[in.at:]))
		if !cmd.Known() {
			return syscall.EINVAL
		}
		t.rec.stats.Commands[cmd.Number()]++
		n := sizeofCommand + cmd.PayloadSize()
		if err := t.need(n); err != nil {
			return err
		}
		payload := in.piece[in.at+sizeofCommand : in.at+n]
		in.at += n
		in.next += uint64(n)
		t.lock()
		if err := t.execute(cmd, payload); err != nil {
			return err
		}
		bwr.WriteConsumed += uint64(n)
		if t.locked && t.tx.Full() {
			t.unlock()
		}
		if in.onlyFree() && t.locked && t.parker == nil && t.overtaken == 0 && t.tx.Rouses() {
			t.sendBeforeFree()
		}
	}
	return nil
}

const sizeofCommand = 4

// onlyFree says whether all that is left of the stream is one BC_FREE_BUFFER.
func (in *input) onlyFree() bool {
	const size = sizeofCommand + 8
	return in.end-in.next == size && in.got-in.at >= size &&
		abi.Command(binary.NativeEndian.Uint32(in.piece[in.at:])) == abi.BC_FREE_BUFFER
}

// sendBeforeFree wakes the receiver of a transaction before the thread frees a
// buffer: what it frees does not delay whom it calls. If it reads then, it is armed by
// now, so that an answer finds it, or the next call, however quick. Where receivers
// run in the thread's place as soon as they are woken, nothing would be gained.
func (t *Thread) sendBeforeFree() {
	forProc := t.free()
	if t.bwr.ReadSize == 0 || t.p.nonblock.Load() || t.hasWork(forProc) {
		t.unlock()
		return
	}
	number := t.arm(forProc)
	t.unlock()
	t.noteOvertaken(number)
}

// overtakenFor is how many calls do without sendBeforeFree after one that was
// overtaken.
const overtakenFor = 64

// noteOvertaken is called when the thread has woken whom it called, and has not slept:
// if its own number is not what it was, the receiver ran in its place.
func (t *Thread) noteOvertaken(number uint32) {
	if t.rec.wait.Number() != number {
		t.overtaken = overtakenFor
	} else if t.overtaken > 0 {
		t.overtaken--
	}
}

// execute runs one command. The error is the call's.
func (t *Thread) execute(cmd abi.Command, payload []byte) error {
	switch cmd {
	case abi.BC_TRANSACTION, abi.BC_REPLY:
		t.tr.TransactionData.Decode(payload)
		t.tr.BuffersSize = 0
		t.transact(&t.tr, cmd == abi.BC_REPLY)
	case abi.BC_TRANSACTION_SG, abi.BC_REPLY_SG:
		t.tr.Decode(payload)
		t.transact(&t.tr, cmd == abi.BC_REPLY_SG)
	case abi.BC_FREE_BUFFER:
		t.userFreeBuffer(abi.Uint64(payload))
	case abi.BC_INCREFS, abi.BC_ACQUIRE, abi.BC_RELEASE, abi.BC_DECREFS:
		return t.countRef(cmd, abi.Uint32(payload))
	case abi.BC_INCREFS_DONE, abi.BC_ACQUIRE_DONE:
		var pc abi.PtrCookie
		pc.Decode(payload)
		t.nodeDone(pc, cmd == abi.BC_ACQUIRE_DONE)
	case abi.BC_REGISTER_LOOPER, abi.BC_ENTER_LOOPER, abi.BC_EXIT_LOOPER:
		t.looper(cmd)
	case abi.BC_REQUEST_DEATH_NOTIFICATION, abi.BC_CLEAR_DEATH_NOTIFICATION:
		var hc abi.HandleCookie
		hc.Decode(payload)
		if cmd == abi.BC_REQUEST_DEATH_NOTIFICATION {
			return t.requestDeath(&hc)
		}
		t.clearDeath(&hc)
	case abi.BC_DEAD_BINDER_DONE:
		t.deathDone(abi.Uint64(payload))
	case abi.BC_REQUEST_FREEZE_NOTIFICATION, abi.BC_CLEAR_FREEZE_NOTIFICATION:
		var hc abi.HandleCookie
		hc.Decode(payload)
		if cmd == abi.BC_REQUEST_FREEZE_NOTIFICATION {
			return t.requestFreezeNotice(&hc)
		}
		return t.clearFreezeNotice(&hc)
	case abi.BC_FREEZE_NOTIFICATION_DONE:
		return t.freezeNoticeDone(abi.Uint64(payload))
	default:
		return syscall.EINVAL
	}
	return nil
}

// looper does the bookkeeping of the thread pool. Mistakes only mark the
// thread.
func (t *Thread) looper(cmd abi.Command) {
	th := t.rec.rest.edit(t.tx)
	switch cmd {
	case abi.BC_ENTER_LOOPER:
		if th.looper&looperRegistered != 0 {
			th.looper |= looperInvalid
		}
		th.looper |= looperEntered
	case abi.BC_EXIT_LOOPER:
		th.looper |= looperExited
	case abi.BC_REGISTER_LOOPER:
		p := t.p.rec.rest.edit(t.tx)
		if th.looper&looperEntered != 0 || p.requested == 0 {
			th.looper |= looperInvalid
		} else {
			p.requested--
			p.started++
		}
		th.looper |= looperRegistered
	}
}

package driver

import (
	"errors"
	"fmt"
	"runtime/debug"
	"syscall"
	"time"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// Ioctl is ioctl on the file by the caller thread with the key. arg is an
// address in the address space of the file. Errors are errno values, or
// ErrParked if the thread's Task is a Parker.
func (p *Proc) Ioctl(tid int32, cmd abi.Ioctl, arg uint64) (err error) {
	t, err := p.acquire(tid)
	if err != nil {
		return err
	}
	err = errPanic
	defer t.finish(&err)
	if err := t.enter(); err != nil {
		return err
	}
	result := t.ioctl(cmd, arg)
	t.leave()
	for t.parked && t.parker == nil {
		t.noteOvertaken(t.number)
		result = t.resume(t.await(t.number, time.Time{}))
	}
	return result
}

// Resume goes on with a call that is parked. If it is interrupted and there is
// still no work, the call ends with EINTR. Errors are those of Ioctl.
func (t *Thread) Resume(interrupted bool) (err error) {
	t.faults = debug.SetPanicOnFault(true)
	err = errPanic
	defer t.finish(&err)
	var waited error
	if interrupted {
		waited = syscall.EINTR
	}
	return t.resume(waited)
}

// resume goes on with a call that is parked, after a wait that was interrupted by an
// error or not.
func (t *Thread) resume(waited error) error {
	t.parked = false
	over, waited := t.awake(t.parkedFor, waited)
	if !over {
		waited = t.sleep(t.parkedFor)
	}
	err := t.endWriteRead(t.readOn(t.parkedFor, waited))
	t.leave()
	return err
}

// HasMail says whether Resume of a parked call would end it without waiting for
// anybody.
func (t *Thread) HasMail() bool { return t.mailArrived() }

// errPanic is the result of a call that has none: it panicked.
var errPanic = errors.New("binder: the call panicked")

// finish is deferred by what runs a call with mu held and panics on faults. It
// makes an error of a panic and gives mu back, unless the call is parked.
func (t *Thread) finish(err *error) {
	if *err == errPanic {
		*err = t.giveUp(recover())
	}
	debug.SetPanicOnFault(t.faults)
	if !t.parked {
		t.mu.Unlock()
	}
}

// leave ends a call that is not parked. It looks without the lock: see wantsLooper.
//
//go:norace
func (t *Thread) leave() {
	if !t.parked && (t.locked || t.rec != nil && (t.rec.needReturn || t.rec.armed)) {
		t.returns()
	}
}

// returns is leave for a thread that still has the lock, or was sent home.
func (t *Thread) returns() {
	if t.ref != 0 && t.rec.needReturn {
		t.lock()
		t.ref.Edit(t.tx).needReturn = false
	}
	if t.ref != 0 && t.rec.armed { // it did not come to waiting
		t.lock()
		t.disarm()
	}
	t.unlock()
}

// giveUp ends a call that ran into damage, into a region whose file was cut off, or
// into an argument that is not there: it undoes what the call changed since its last
// commit, as far as the arena is still there.
func (t *Thread) giveUp(panicked any) error {
	t.parked = false
	err := errno(arena.Damage(panicked))
	var fault interface{ Addr() uintptr }
	if errors.As(err, &fault) && !t.d.a.Contains(fault.Addr()) {
		err = fmt.Errorf("%w: the memory of a region, or of the caller, is gone", syscall.EFAULT)
	}
	if arena.Survive(func() error {
		t.abandon()
		t.leave()
		return nil
	}) != nil {
		t.locked = false
	}
	return err
}

func (t *Thread) ioctl(cmd abi.Ioctl, arg uint64) error {
	switch cmd {
	case abi.BINDER_WRITE_READ:
		return t.writeRead(arg)
	case abi.BINDER_SET_MAX_THREADS:
		return t.setWord(arg, func(v uint32) { t.p.rec.rest.edit(t.tx).maxThreads = v })
	case abi.BINDER_ENABLE_ONEWAY_SPAM_DETECTION:
		if err := t.setWord(arg, func(v uint32) { t.proc.Edit(t.tx).spamDetection = v != 0 }); err != nil {
			return syscall.EFAULT
		}
		return nil
	case abi.BINDER_SET_CONTEXT_MGR:
		return t.setManager(&abi.FlatBinderObject{})
	case abi.BINDER_SET_CONTEXT_MGR_EXT:
		var fp abi.FlatBinderObject
		if err := t.task.CopyFromUser(t.objects[:abi.SizeofFlatBinderObject], arg); err != nil {
			return syscall.EINVAL
		}
		fp.Decode(t.objects[:])
		return t.setManager(&fp)
	case abi.BINDER_THREAD_EXIT:
		t.exit()
		return nil
	case abi.BINDER_VERSION:
		v := abi.Version{ProtocolVersion: abi.CurrentProtocolVersion}
		v.Encode(t.objects[:])
		if t.task.CopyToUser(arg, t.objects[:abi.SizeofVersion]) != nil {
			return syscall.EINVAL
		}
		return nil
	case abi.BINDER_GET_NODE_DEBUG_INFO:
		return t.nodeDebugInfo(arg)
	case abi.BINDER_GET_NODE_INFO_FOR_REF:
		return t.nodeInfoForRef(arg)
	case abi.BINDER_FREEZE:
		return t.freeze(arg)
	case abi.BINDER_GET_FROZEN_INFO:
		return t.frozenInfo(arg)
	case abi.BINDER_GET_EXTENDED_ERROR:
		return t.extendedError(arg)
	}
	return fmt.Errorf("ioctl %v: %w", cmd, syscall.EINVAL)
}

// writeRead is BINDER_WRITE_READ. What was consumed is written back whatever
// happens.
func (t *Thread) writeRead(at uint64) error {
	if t.back = t.argument(at); t.back == nil {
		return syscall.EFAULT
	}
	t.bwr.Decode(t.back[:])
	var err error
	if t.bwr.WriteSize > 0 {
		if err = t.write(); err != nil {
			t.bwr.ReadConsumed = 0
		}
	}
	if err == nil && t.bwr.ReadSize > 0 {
		err = t.read()
	}
	return t.endWriteRead(err)
}

// argument is the argument of BINDER_WRITE_READ: where it is, if the driver can
// look at it there, else a copy; nil if the address is bad. A fault in it ends the
// call.
func (t *Thread) argument(at uint64) *[abi.SizeofWriteRead]byte {
	if t.near != nil {
		if b := t.near.At(at, abi.SizeofWriteRead); b != nil {
			return (*[abi.SizeofWriteRead]byte)(b)
		}
		return nil
	}
	t.argAt = at
	if t.task.CopyFromUser(t.arg[:], at) != nil {
		return nil
	}
	return &t.arg
}

// endWriteRead writes back what was consumed.
func (t *Thread) endWriteRead(err error) error {
	if t.parked {
		return err
	}
	t.unlock()
	t.bwr.EncodeConsumed(t.back[:])
	if t.near == nil && t.task.CopyToUser(t.argAt, t.back[:]) != nil {
		return syscall.EFAULT
	}
	t.copies.HeaderFromUser += abi.SizeofWriteRead
	t.copies.HeaderToUser += abi.SizeofWriteRead
	return err
}

// setWord copies a 32-bit argument and has set store it under the lock.
func (t *Thread) setWord(arg uint64, set func(uint32)) error {
	if t.task.CopyFromUser(t.objects[:4], arg) != nil {
		return syscall.EINVAL
	}
	t.lock()
	set(abi.Uint32(t.objects[:]))
	return nil
}

// setManager makes the process the context manager. The first one's user id
// is the only one that may ever be it.
func (t *Thread) setManager(fp *abi.FlatBinderObject) error {
	t.lock()
	c := t.d.ctx.Edit(t.tx)
	if c.manager != 0 {
		return syscall.EBUSY
	}
	euid := t.p.identity.EUID
	if c.managerSet && c.managerUID != euid {
		return syscall.EPERM
	}
	c.managerSet, c.managerUID = true, euid
	n := t.d.findNode(t.proc, fp.Binder)
	if n == 0 {
		var err error
		if n, err = t.d.newNode(t.tx, t.proc, fp); err != nil {
			t.abandon()
			return errno(err)
		}
	}
	p := n.Edit(t.tx)
	p.localWeak++
	p.localStrong++
	p.hasStrong, p.hasWeak = true, true
	t.d.ctx.Edit(t.tx).manager = n
	return nil
}

func (t *Thread) nodeDebugInfo(arg uint64) error {
	b := t.objects[:abi.SizeofNodeDebugInfo]
	if t.task.CopyFromUser(b, arg) != nil {
		return syscall.EFAULT
	}
	var info abi.NodeDebugInfo
	info.Decode(b)
	given := info.Ptr
	info = abi.NodeDebugInfo{}
	t.lock()
	if given != 1<<64-1 {
		if r := nodesByPtr.Ceiling(t.d.a, t.proc.In(t.d.a).rest.nodes, given+1); r != 0 {
			n := r.In(t.d.a)
			info = abi.NodeDebugInfo{Ptr: n.rest.ptr, Cookie: n.rest.cookie, HasStrongRef: bit(n.hasStrong), HasWeakRef: bit(n.hasWeak)}
		}
	}
	t.unlock()
	info.Encode(b)
	return t.task.CopyToUser(arg, b)
}

func (t *Thread) nodeInfoForRef(arg uint64) error {
	b := t.objects[:abi.SizeofNodeInfoForRef]
	if t.task.CopyFromUser(b, arg) != nil {
		return syscall.EFAULT
	}
	var info abi.NodeInfoForRef
	info.Decode(b)
	if info.StrongCount != 0 || info.WeakCount != 0 || info.Reserved1 != 0 || info.Reserved2 != 0 || info.Reserved3 != 0 {
		return syscall.EINVAL
	}
	t.lock()
	m := t.d.ctx.In(t.d.a).manager
	if m == 0 || m.In(t.d.a).proc != t.proc {
		return syscall.EPERM
	}
	r := t.d.findRef(t.proc, info.Handle, true)
	if r == 0 {
		return syscall.EINVAL
	}
	n := r.In(t.d.a).node.In(t.d.a)
	info.StrongCount = uint32(n.localStrong + n.internalStrong)
	info.WeakCount = uint32(n.localWeak)
	for x := n.rest.refs.First; x != 0; x = x.In(t.d.a).link.Next {
		info.WeakCount++
	}
	t.unlock()
	info.Encode(b)
	return t.task.CopyToUser(arg, b)
}

// extendedError is BINDER_GET_EXTENDED_ERROR: it also forgets the error.
func (t *Thread) extendedError(arg uint64) error {
	b := t.objects[:abi.SizeofExtendedError]
	e := t.rec.rest.extended
	if e.Command == uint32(abi.BR_OK) {
		e.ID = t.sent
	}
	e.Encode(b)
	if t.task.CopyToUser(arg, b) != nil {
		return syscall.EFAULT
	}
	t.sent = 0
	t.lock()
	t.rec.rest.edit(t.tx).extended = abi.ExtendedError{Command: uint32(abi.BR_OK)}
	return nil
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

package driver

import (
	"syscall"
	"time"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// freeze is BINDER_FREEZE: all binder_procs of a pid stop or go on receiving
// calls. Freezing waits, as long as the caller says, for calls under way.
func (t *Thread) freeze(arg uint64) error {
	b := t.objects[:abi.SizeofFreezeInfo]
	if t.task.CopyFromUser(b, arg) != nil {
		return syscall.EFAULT
	}
	var info abi.FreezeInfo
	info.Decode(b)
	deadline := time.Now().Add(time.Duration(info.TimeoutMS) * time.Millisecond)
	found := false
	t.setFrozen(info.PID, info.Enable != 0, &found)
	if !found {
		return syscall.EINVAL
	}
	if info.Enable == 0 {
		t.tellAllFrozen(info.PID, false)
		return nil
	}
	for {
		t.lock()
		pending := t.d.pending(info.PID)
		t.unlock()
		if !pending {
			t.tellAllFrozen(info.PID, true)
			return nil
		}
		if !time.Now().Before(deadline) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	t.setFrozen(info.PID, false, &found)
	return syscall.EAGAIN
}

func (t *Thread) setFrozen(pid uint32, frozen bool, found *bool) {
	t.lock()
	defer t.unlock()
	t.d.eachOf(pid, func(r arena.Ref[proc]) {
		p := r.Edit(t.tx)
		p.frozen, p.syncRecv, p.asyncRecv = frozen, false, false
		*found = true
	})
}

// tellAllFrozen notifies those who asked about nodes of a pid.
func (t *Thread) tellAllFrozen(pid uint32, frozen bool) {
	t.lock()
	defer t.unlock()
	t.d.eachOf(pid, func(r arena.Ref[proc]) { t.tellFrozen(r, frozen) })
}

// eachOf visits the binder_procs of a pid.
func (d *Driver) eachOf(pid uint32, visit func(arena.Ref[proc])) {
	for r := d.ctx.In(d.a).procs.First; r != 0; r = r.In(d.a).rest.link.Next {
		if p := r.In(d.a); uint32(p.pid) == pid && !p.dead {
			visit(r)
		}
	}
}

// pending says whether a pid has transactions that are not over.
func (d *Driver) pending(pid uint32) (pending bool) {
	d.eachOf(pid, func(r arena.Ref[proc]) {
		p := r.In(d.a)
		pending = pending || d.undelivered(p.space)
		for t := threadsByTID.First(d.a, p.rest.threads); t != 0 && !pending; t = threadsByTID.Next(d.a, p.rest.threads, t) {
			pending = t.In(d.a).stack != 0 || t.In(d.a).rest.installing != 0
		}
	})
	return pending
}

// undelivered says whether a region has a buffer of a transaction that was sent
// and not read.
func (d *Driver) undelivered(space arena.Ref[alloc.Space]) bool {
	if space == 0 {
		return false
	}
	for b := alloc.Next(d.a, space, 0); b != 0; b = alloc.Next(d.a, space, b.In(d.a).Offset+1) {
		if d.isQueued(b) {
			return true
		}
	}
	return false
}

// frozenInfo is BINDER_GET_FROZEN_INFO.
func (t *Thread) frozenInfo(arg uint64) error {
	b := t.objects[:abi.SizeofFrozenStatusInfo]
	if t.task.CopyFromUser(b, arg) != nil {
		return syscall.EFAULT
	}
	var info abi.FrozenStatusInfo
	info.Decode(b)
	info.SyncRecv, info.AsyncRecv = 0, 0
	found := false
	t.lock()
	t.d.eachOf(info.PID, func(r arena.Ref[proc]) {
		p := r.In(t.d.a)
		found = true
		info.SyncRecv |= bit(p.syncRecv)
		info.AsyncRecv |= bit(p.asyncRecv)
	})
	info.SyncRecv |= bit(found && t.d.pending(info.PID)) << 1
	t.unlock()
	if !found {
		return syscall.EINVAL
	}
	info.Encode(b)
	if t.task.CopyToUser(arg, b) != nil {
		return syscall.EFAULT
	}
	return nil
}

// replaceOutdated drops the queued oneway call to the node of a frozen process
// that x, which asks for it, makes outdated: one with the same code and flags
// from the same process.
func (d *Driver) replaceOutdated(tx *arena.Tx, x arena.Ref[transaction], n arena.Ref[node]) {
	p := x.In(d.a)
	if p.flags&abi.TF_UPDATE_TXN == 0 || !p.toProc.In(d.a).frozen {
		return
	}
	for w := n.In(d.a).async.First; w != 0; w = w.In(d.a).link.Next {
		old := arena.Ref[transaction](w).In(d.a)
		if old.code == p.code && old.flags == p.flags && old.fromPID == p.fromPID {
			d.dropWork(tx, w)
			return
		}
	}
}

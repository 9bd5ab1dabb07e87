package driver

import (
	"syscall"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// newNode publishes an object of a process: the flags of the first
// publication hold for the node's life.
func (d *Driver) newNode(tx *arena.Tx, p arena.Ref[proc], fp *abi.FlatBinderObject) (arena.Ref[node], error) {
	if limit := d.limits.Objects; limit > 0 && int(p.In(d.a).rest.nodeCount) >= limit {
		return 0, arena.ErrFull
	}
	r, err := nodes.New(tx)
	if err != nil {
		return 0, err
	}
	owner, n := p.In(d.a).rest.edit(tx), r.Edit(tx)
	owner.nodeCount++
	n.kind = workNode
	n.rest.id, n.proc = d.nextID(), p
	n.rest.ptr, n.rest.cookie = fp.Binder, fp.Cookie
	n.minPriority = uint8(fp.Flags & abi.FLAT_BINDER_FLAG_PRIORITY_MASK)
	n.acceptFDs = fp.Flags&abi.FLAT_BINDER_FLAG_ACCEPTS_FDS != 0
	n.securityCtx = fp.Flags&abi.FLAT_BINDER_FLAG_TXN_SECURITY_CTX != 0
	nodesByPtr.Insert(tx, &owner.nodes, r)
	d.ctx.In(d.a).totals.Nodes++
	return r, nil
}

func (d *Driver) findNode(p arena.Ref[proc], ptr uint64) arena.Ref[node] {
	return nodesByPtr.Find(d.a, p.In(d.a).rest.nodes, ptr)
}

// incNode counts one more reference to a node: internal for a ref's, else a
// local one. If the owner has to be told, the work goes to the thread, with
// what else it reads; a ref from elsewhere (publisher 0) needs a node whose
// owner knows already.
func (d *Driver) incNode(tx *arena.Tx, r arena.Ref[node], strong, internal bool, publisher arena.Ref[thread]) error {
	n := r.Edit(tx)
	switch {
	case strong && internal:
		known := n.internalStrong > 0 || r == d.ctx.In(d.a).manager && n.hasStrong
		if publisher == 0 && !known {
			return syscall.EINVAL
		}
		n.internalStrong++
	case strong:
		n.localStrong++
	case !internal:
		n.localWeak++
	}
	if publisher == 0 {
		return nil
	}
	if strong && !n.hasStrong {
		dequeue(tx, arena.Ref[Work](r))
		enqueue(tx, arena.Ref[Work](r), threadTodo, uint32(publisher))
	}
	if !strong && !n.hasWeak && n.on == notQueued {
		enqueue(tx, arena.Ref[Work](r), threadTodo, uint32(publisher))
	}
	return nil
}

// decNode takes a reference back. When the last one goes, the owner is told;
// a node without owner is freed.
func (d *Driver) decNode(tx *arena.Tx, r arena.Ref[node], strong, internal bool) {
	n := r.Edit(tx)
	switch {
	case strong && internal:
		n.internalStrong--
	case strong:
		n.localStrong--
	case !internal:
		n.localWeak--
	}
	if strong && (n.localStrong > 0 || n.internalStrong > 0) ||
		!strong && (n.localWeak > 0 || n.rest.refs.First != 0) {
		return
	}
	if n.proc != 0 && (n.hasStrong || n.hasWeak) {
		if n.on == notQueued {
			enqueueProc(tx, arena.Ref[Work](r), n.proc)
		}
		return
	}
	d.freeUnusedNode(tx, r)
}

// freeUnusedNode frees a node that nobody refers to and whose owner holds
// nothing of it.
func (d *Driver) freeUnusedNode(tx *arena.Tx, r arena.Ref[node]) {
	n := r.In(d.a)
	if n.rest.refs.First != 0 || n.localStrong > 0 || n.localWeak > 0 || n.internalStrong > 0 || n.async.First != 0 {
		return
	}
	dequeue(tx, arena.Ref[Work](r))
	if n.proc != 0 {
		owner := n.proc.In(d.a).rest.edit(tx)
		owner.nodeCount--
		nodesByPtr.Remove(tx, &owner.nodes, r)
	} else {
		deadNodes.Remove(tx, &d.ctx.Edit(tx).dead, r)
	}
	if c := d.ctx.Edit(tx); c.manager == r {
		c.manager = 0
	}
	nodes.Free(tx, r)
}

// readNode turns a node's work into what its owner has to do: the difference
// between what it was told and what holds now.
func (t *Thread) readNode(r arena.Ref[node]) {
	n := r.Edit(t.tx)
	strong := n.internalStrong > 0 || n.localStrong > 0
	weak := n.rest.refs.First != 0 || n.localWeak > 0 || strong
	hadStrong, hadWeak := n.hasStrong, n.hasWeak
	name := abi.PtrCookie{Ptr: n.rest.ptr, Cookie: n.rest.cookie}
	if weak && !hadWeak {
		n.hasWeak, n.pendingWeak = true, true
		n.localWeak++
		t.ret.ptrCookie(abi.BR_INCREFS, name)
	}
	if strong && !hadStrong {
		n.hasStrong, n.pendingStrong = true, true
		n.localStrong++
		t.ret.ptrCookie(abi.BR_ACQUIRE, name)
	}
	if !strong && hadStrong {
		n.hasStrong = false
		t.ret.ptrCookie(abi.BR_RELEASE, name)
	}
	if !weak && hadWeak {
		n.hasWeak = false
		t.ret.ptrCookie(abi.BR_DECREFS, name)
	}
	if !weak && !strong {
		t.d.freeUnusedNode(t.tx, r)
	}
}

// nodeDone is BC_INCREFS_DONE and BC_ACQUIRE_DONE. One that was not asked for
// is ignored.
func (t *Thread) nodeDone(pc abi.PtrCookie, strong bool) {
	r := t.d.findNode(t.proc, pc.Ptr)
	if r == 0 || r.In(t.d.a).rest.cookie != pc.Cookie {
		return
	}
	n := r.In(t.d.a)
	if strong && !n.pendingStrong || !strong && !n.pendingWeak {
		return
	}
	n = r.Edit(t.tx)
	if strong {
		n.pendingStrong = false
	} else {
		n.pendingWeak = false
	}
	t.d.decNode(t.tx, r, strong, false)
}

// releaseNode takes a node from its dead owner and tells those who asked. It
// says whether it is done; if not, it is to be called again.
func (d *Driver) releaseNode(tx *arena.Tx, r arena.Ref[node]) bool {
	n := r.Edit(tx)
	if w := n.async.First; w != 0 {
		d.dropWork(tx, w)
		return false
	}
	for x := n.rest.refs.First; x != 0; x = x.In(d.a).link.Next {
		p := x.In(d.a)
		if p.death == 0 || p.death.In(d.a).on != notQueued || p.death.In(d.a).kind != workNone {
			continue
		}
		p.death.Edit(tx).kind = workDeadBinder
		enqueueProc(tx, arena.Ref[Work](p.death), p.proc)
		if tx.Full() {
			return false
		}
	}
	dequeue(tx, arena.Ref[Work](r))
	owner := n.proc.In(d.a).rest.edit(tx)
	owner.nodeCount--
	nodesByPtr.Remove(tx, &owner.nodes, r)
	n.proc = 0
	// What waits for the owner's confirmation will not come; buffers that are
	// being filled still count.
	if n.pendingStrong {
		n.localStrong--
	}
	if n.pendingWeak {
		n.localWeak--
	}
	n.pendingStrong, n.pendingWeak = false, false
	deadNodes.PushBack(tx, &d.ctx.Edit(tx).dead, r)
	d.freeUnusedNode(tx, r)
	return true
}

package driver

import (
	"syscall"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// findRef is the process's ref with the handle, 0 if it has none, or none
// that is strong where strong is needed.
func (d *Driver) findRef(p arena.Ref[proc], handle uint32, strong bool) arena.Ref[ref] {
	r := refsByDesc.Find(d.a, p.In(d.a).rest.refs, uint64(handle))
	if r != 0 && strong && r.In(d.a).strong == 0 {
		return 0
	}
	return r
}

// refForNode is the process's ref to a node, new if it has none yet: with the
// lowest free number, of which 0 is the context manager's.
func (d *Driver) refForNode(tx *arena.Tx, p arena.Ref[proc], n arena.Ref[node]) (arena.Ref[ref], error) {
	if r := refsByNode.Find(d.a, p.In(d.a).rest.nodeRefs, uint64(n)); r != 0 {
		return r, nil
	}
	r, err := refs.New(tx)
	if err != nil {
		return 0, err
	}
	owner, x := p.In(d.a).rest.edit(tx), r.Edit(tx)
	lowest := uint32(1)
	if n == d.ctx.In(d.a).manager {
		lowest = 0
	}
	if x.desc, err = owner.handles.Take(tx, lowest); err != nil {
		refs.Free(tx, r)
		return 0, err
	}
	if limit := d.limits.Objects; limit > 0 && int(x.desc) > limit {
		owner.handles.Return(tx, x.desc) // that many lower ones are in use
		refs.Free(tx, r)
		return 0, arena.ErrFull
	}
	x.id, x.proc, x.node = d.nextID(), p, n
	refsByDesc.Insert(tx, &owner.refs, r)
	refsByNode.Insert(tx, &owner.nodeRefs, r)
	nodeRefs.PushBack(tx, &n.In(d.a).rest.edit(tx).refs, r)
	d.ctx.In(d.a).totals.Refs++
	return r, nil
}

// incRef counts one more use of a ref; the first strong one counts on the
// node, whose owner may have to be told through the publishing thread.
func (d *Driver) incRef(tx *arena.Tx, r arena.Ref[ref], strong bool, publisher arena.Ref[thread]) error {
	x := r.Edit(tx)
	if strong && x.strong == 0 || !strong && x.weak == 0 {
		if err := d.incNode(tx, x.node, strong, true, publisher); err != nil {
			return err
		}
	}
	if strong {
		x.strong++
	} else {
		x.weak++
	}
	return nil
}

// incRefForNode makes or counts the process's ref to a node. A new ref that
// cannot be counted does not stay.
func (d *Driver) incRefForNode(tx *arena.Tx, p arena.Ref[proc], n arena.Ref[node], strong bool, publisher arena.Ref[thread]) (arena.Ref[ref], error) {
	r, err := d.refForNode(tx, p, n)
	if err != nil {
		return 0, err
	}
	if err := d.incRef(tx, r, strong, publisher); err != nil {
		if x := r.In(d.a); x.strong == 0 && x.weak == 0 {
			d.freeRef(tx, r)
		}
		return 0, err
	}
	return r, nil
}

// decRef takes one use back; with the last the ref is gone. The error is
// EINVAL if there is no such use.
func (d *Driver) decRef(tx *arena.Tx, r arena.Ref[ref], strong bool) error {
	x := r.Edit(tx)
	if strong {
		if x.strong == 0 {
			return syscall.EINVAL
		}
		if x.strong--; x.strong == 0 {
			d.decNode(tx, x.node, true, true)
		}
	} else {
		if x.weak == 0 {
			return syscall.EINVAL
		}
		x.weak--
	}
	if x.strong == 0 && x.weak == 0 {
		d.freeRef(tx, r)
	}
	return nil
}

// freeRef takes a ref out of everything, with the death notice that was asked
// for.
func (d *Driver) freeRef(tx *arena.Tx, r arena.Ref[ref]) {
	x := r.Edit(tx)
	p := x.proc.In(d.a).rest.edit(tx)
	refsByDesc.Remove(tx, &p.refs, r)
	refsByNode.Remove(tx, &p.nodeRefs, r)
	p.handles.Return(tx, x.desc)
	if x.strong > 0 {
		d.decNode(tx, x.node, true, true)
	}
	nodeRefs.Remove(tx, &x.node.In(d.a).rest.edit(tx).refs, r)
	d.decNode(tx, x.node, false, true)
	if x.death != 0 {
		dequeue(tx, arena.Ref[Work](x.death))
		deaths.Free(tx, x.death)
	}
	if x.freeze != 0 {
		dequeue(tx, arena.Ref[Work](x.freeze))
		freezeNotices.Free(tx, x.freeze)
	}
	refs.Free(tx, r)
}

// countRef is BC_INCREFS, BC_ACQUIRE, BC_RELEASE and BC_DECREFS. Mistakes with
// handles are ignored, as by the kernel, which only logs them.
func (t *Thread) countRef(cmd abi.Command, handle uint32) error {
	increment := cmd == abi.BC_INCREFS || cmd == abi.BC_ACQUIRE
	strong := cmd == abi.BC_ACQUIRE || cmd == abi.BC_RELEASE
	if increment && handle == 0 {
		if m := t.d.ctx.In(t.d.a).manager; m != 0 {
			if m.In(t.d.a).proc == t.proc {
				return syscall.EINVAL
			}
			if _, err := t.d.incRefForNode(t.tx, t.proc, m, strong, 0); err == nil {
				return nil
			}
		}
	}
	r := t.d.findRef(t.proc, handle, strong)
	if r == 0 {
		return nil
	}
	if increment {
		_ = t.d.incRef(t.tx, r, strong, 0)
	} else {
		_ = t.d.decRef(t.tx, r, strong)
	}
	return nil
}

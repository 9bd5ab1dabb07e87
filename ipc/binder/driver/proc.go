package driver

import (
	"errors"
	"fmt"
	"syscall"

	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

func (d *Driver) newProc(tx *arena.Tx, id Identity) (arena.Ref[proc], error) {
	r, err := procs.New(tx)
	if err != nil {
		return 0, err
	}
	p := r.Edit(tx)
	p.id, p.slot, p.pid, p.euid = d.nextID(), d.member.Slot(), id.PID, id.EUID
	p.owner = p.slot.In(d.a).User
	c := d.ctx.Edit(tx)
	procList.PushBack(tx, &c.procs, r)
	c.totals.Procs++
	return r, nil
}

// Map is mmap: it makes a receive region of length bytes, which the owner sees
// at base. Errors are EBUSY if there is or was one, and ENOMEM.
func (p *Proc) Map(length uint64, base uint64) error {
	return p.d.member.Do(func(tx *arena.Tx) error {
		if p.ref.In(p.d.a).space != 0 {
			return fmt.Errorf("binder mmap: %w", syscall.EBUSY)
		}
		s, err := alloc.New(tx, length)
		if err != nil {
			return fmt.Errorf("binder mmap: %w (%w)", syscall.ENOMEM, err)
		}
		r := p.ref.Edit(tx)
		r.space, r.base, r.length = s, base, length
		return nil
	})
}

// Mapped says whether the process has or had a region.
func (p *Proc) Mapped() bool { return p.ref.In(p.d.a).space != 0 }

// Unmap is munmap of any part of the region: the process receives nothing
// more.
func (p *Proc) Unmap() {
	_ = p.d.member.Do(func(tx *arena.Tx) error {
		p.ref.Edit(tx).unmapped = true
		return nil
	})
}

// Shrink takes the storage of up to n pages away that are under no buffer,
// those unused longest first, and returns how many there were.
func (p *Proc) Shrink(n int) (done int) {
	_ = p.d.member.Do(func(tx *arena.Tx) error {
		if s := p.ref.In(p.d.a).space; s != 0 {
			done = alloc.Shrink(tx, s, n, func(off int64) { p.d.host.Punch(p.id, off, alloc.PageSize) })
		}
		return nil
	})
	return done
}

// ReleaseDead wakes whoever a process that is gone should have woken, and
// releases on its behalf everything that it had open, and then its slot. It takes
// many small steps, and goes on where another left off.
func (d *Driver) ReleaseDead(m arena.Joined) {
	_ = d.member.Do(func(tx *arena.Tx) error {
		if !tx.Listed(m) {
			return nil
		}
		d.wakeAll(tx)
		slot := m.Ref
		for r := d.procOf(slot); r != 0; r = d.procOf(slot) {
			d.release(tx, r)
		}
		tx.Remove(slot)
		return nil
	})
}

// Members are the processes that joined, for a device that looks for dead
// ones.
func (d *Driver) Members() (all []arena.Joined) {
	_ = d.member.Do(func(tx *arena.Tx) error {
		all = tx.Members()
		return nil
	})
	return all
}

func (d *Driver) procOf(slot arena.Ref[arena.Slot]) arena.Ref[proc] {
	for r := d.ctx.In(d.a).procs.First; r != 0; r = r.In(d.a).link.Next {
		if r.In(d.a).slot == slot && !r.In(d.a).released {
			return r
		}
	}
	return 0
}

// release takes a binder_proc apart in steps that each are a transaction, so
// that whoever continues after a kill finds a consistent rest. Threads, nodes and
// refs go in the kernel's order, by number.
func (d *Driver) release(tx *arena.Tx, r arena.Ref[proc]) {
	p := r.Edit(tx)
	p.dead, p.frozen = true, false
	if m := d.ctx.In(d.a).manager; m != 0 && m.In(d.a).proc == r {
		d.ctx.Edit(tx).manager = 0
		n := m.Edit(tx)
		n.localStrong--
		n.localWeak--
	}
	tx.Commit()
	for t := threadsByTID.First(d.a, p.threads); t != 0; t = threadsByTID.First(d.a, p.threads) {
		d.exitThread(tx, t)
		tx.Commit()
	}
	for w := p.todo.First; w != 0; w = p.todo.First {
		d.dropWork(tx, w)
		tx.Commit()
	}
	for w := p.delivered.First; w != 0; w = p.delivered.First {
		d.dropWork(tx, w)
		tx.Commit()
	}
	for w := p.toldFrozen.First; w != 0; w = p.toldFrozen.First {
		d.dropWork(tx, w)
		tx.Commit()
	}
	d.releaseBuffers(tx, r)
	for n := nodesByPtr.First(d.a, p.nodes); n != 0; n = nodesByPtr.First(d.a, p.nodes) {
		d.releaseNode(tx, n)
		tx.Commit()
	}
	for x := refsByDesc.First(d.a, p.refs); x != 0; x = refsByDesc.First(d.a, p.refs) {
		d.freeRef(tx, x)
		tx.Commit()
	}
	r.Edit(tx).released = true
	d.freeProc(tx, r)
	tx.Commit()
}

// releaseBuffers frees what the region still holds.
func (d *Driver) releaseBuffers(tx *arena.Tx, r arena.Ref[proc]) {
	s := r.In(d.a).space
	if s == 0 {
		return
	}
	for b := alloc.Next(d.a, s, 0); b != 0; b = alloc.Next(d.a, s, 0) {
		if d.isBuilding(b) {
			// Its sender is filling it right now; it frees the buffer itself.
			next := alloc.Next(d.a, s, b.In(d.a).Offset+1)
			for next != 0 && d.isBuilding(next) {
				next = alloc.Next(d.a, s, next.In(d.a).Offset+1)
			}
			if b = next; b == 0 {
				return
			}
		}
		d.freeBuffer(tx, r, b)
		tx.Commit()
	}
}

func (d *Driver) isBuilding(b arena.Ref[alloc.Buffer]) bool {
	t := arena.Ref[transaction](b.In(d.a).Transaction)
	return t != 0 && t.In(d.a).building
}

// freeProc frees the record of a released process, unless senders are still
// filling buffers of it, which are all that it has left: the last of them frees
// it.
func (d *Driver) freeProc(tx *arena.Tx, r arena.Ref[proc]) {
	p := r.Edit(tx)
	if !p.released || p.space != 0 && p.space.In(d.a).Buffers > 0 {
		return
	}
	if p.space != 0 {
		alloc.Destroy(tx, p.space)
	}
	c := d.ctx.Edit(tx)
	c.stats.add(&p.stats)
	procList.Remove(tx, &c.procs, r)
	d.host.Forget(ProcID(p.id))
	procs.Free(tx, r)
}

// errno is the errno that an internal error is for a caller.
func errno(err error) error {
	switch {
	case errors.Is(err, arena.ErrFull):
		return syscall.ENOMEM
	case errors.Is(err, arena.ErrDamaged):
		return fmt.Errorf("%w: %w", syscall.EIO, err)
	}
	return err
}

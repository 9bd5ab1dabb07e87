package driver

import (
	"cmp"
	"errors"
	"fmt"
	"syscall"
	"time"

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
// at base. Errors are EBUSY if there is or was one, ENOMEM, and EIO if the arena is
// damaged.
func (p *Proc) Map(length uint64, base uint64) error {
	return errno(p.d.member.Do(func(tx *arena.Tx) error {
		if p.ref.In(p.d.a).space != 0 {
			return fmt.Errorf("binder mmap: %w", syscall.EBUSY)
		}
		s, err := alloc.New(tx, length)
		if err != nil {
			return fmt.Errorf("binder mmap: %w", errno(err))
		}
		r := p.ref.Edit(tx)
		r.space, r.base = s, base
		r.rest.edit(tx).length = length
		return nil
	}))
}

// Mapped says whether the process has or had a region.
func (p *Proc) Mapped() (mapped bool) {
	_ = arena.Survive(func() error {
		mapped = p.ref.In(p.d.a).space != 0
		return nil
	})
	return mapped
}

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
// releases on its behalf everything that it had open, and then its slot. It goes
// on where another left off, and several may do it at once.
func (d *Driver) ReleaseDead(m arena.Joined) {
	_ = d.member.Do(func(tx *arena.Tx) error {
		if tx.Listed(m) {
			d.wakeAll(tx)
		}
		return nil
	})
	d.inTurns(func(tx *arena.Tx) (over bool) {
		if !tx.Listed(m) {
			return true
		}
		r := d.procOf(m.Ref)
		if r == 0 {
			tx.Remove(m.Ref)
			return true
		}
		d.release(tx, r)
		return false
	})
}

const (
	// releaseTurn is how many things are released in one hold of the lock.
	releaseTurn = 64
	// releasePause is how long the lock is left to others after it.
	releasePause = 100 * time.Microsecond
)

// inTurns repeats a step of a long operation until it is over. The steps are
// transactions, and after a number of them the others have a turn: nothing that a
// step saw need hold in the next.
func (d *Driver) inTurns(step func(tx *arena.Tx) (over bool)) {
	for over := false; !over; {
		err := d.member.Do(func(tx *arena.Tx) error {
			for i := 0; i < releaseTurn && !over; i++ {
				over = step(tx)
				tx.Commit()
			}
			return nil
		})
		if err != nil {
			return // damaged
		}
		if !over {
			time.Sleep(releasePause)
		}
	}
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
	for r := d.ctx.In(d.a).procs.First; r != 0; r = r.In(d.a).rest.link.Next {
		if r.In(d.a).slot == slot && !r.In(d.a).released {
			return r
		}
	}
	return 0
}

// release is one step of taking a binder_proc apart, found by what it still has,
// so that anybody can go on after a kill. It says whether it was the last.
// Threads, nodes and refs go in the kernel's order, by number.
func (d *Driver) release(tx *arena.Tx, r arena.Ref[proc]) (last bool) {
	p := r.Edit(tx)
	if !p.dead {
		d.die(tx, r)
		return false
	}
	work := cmp.Or(p.todo.First, p.rest.delivered.First, p.rest.toldFrozen.First)
	buffer := d.unusedBuffer(p.space)
	switch {
	case p.rest.threads != 0:
		d.exitStep(tx, threadsByTID.First(d.a, p.rest.threads))
	case work != 0:
		d.dropWork(tx, work)
	case buffer != 0:
		d.freeBuffer(tx, r, buffer)
	case p.rest.nodes != 0:
		d.releaseNode(tx, nodesByPtr.First(d.a, p.rest.nodes))
	case p.rest.refs != 0:
		d.freeRef(tx, refsByDesc.First(d.a, p.rest.refs))
	default:
		p.released = true
		d.freeProc(tx, r)
		return true
	}
	return false
}

// die is the first step: nobody can call the binder_proc any more.
func (d *Driver) die(tx *arena.Tx, r arena.Ref[proc]) {
	p := r.Edit(tx)
	p.dead, p.frozen = true, false
	if m := d.ctx.In(d.a).manager; m != 0 && m.In(d.a).proc == r {
		d.ctx.Edit(tx).manager = 0
		n := m.Edit(tx)
		n.localStrong--
		n.localWeak--
	}
}

// unusedBuffer is the first buffer of a region that no sender is filling right
// now; those free theirs themselves.
func (d *Driver) unusedBuffer(s arena.Ref[alloc.Space]) arena.Ref[alloc.Buffer] {
	if s == 0 {
		return 0
	}
	b := alloc.Next(d.a, s, 0)
	for b != 0 && d.isBuilding(b) {
		b = alloc.Next(d.a, s, b.In(d.a).Offset+1)
	}
	return b
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

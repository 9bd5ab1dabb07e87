package arena

import "time"

const (
	// contended marks the lock word when somebody may sleep on it.
	contended = 1 << 31

	lockSpins = 200
	// lockPatience is how long a sleeper on the lock waits before it asks
	// whether the holder is still alive.
	lockPatience = 10 * time.Millisecond
)

// lock takes the lock that is not free: after a short spin if its holder is quick,
// else asleep.
func (tx *Tx) lock() {
	word := &tx.header.lock
	if tx.ref == bootstrapJournalLine && tx.inherit() {
		return
	}
	for range lockSpins {
		if word.Load() == 0 && word.CompareAndSwap(0, uint32(tx.ref)) {
			return
		}
	}
	tx.lockSlow()
}

// lockSlow sleeps until the lock is free. Who comes from here marks the lock
// as contended, since others may sleep too.
func (tx *Tx) lockSlow() {
	a := tx.arena
	word := &a.header.lock
	for {
		old := word.Load()
		switch {
		case old == 0:
			if word.CompareAndSwap(0, uint32(tx.ref)|contended) {
				return
			}
			continue
		case old&contended == 0:
			if !word.CompareAndSwap(old, old|contended) {
				continue
			}
			old |= contended
		}
		tx.calls++
		a.host.Wait(word, old, lockPatience)
		if word.Load() == old && tx.takeFromDead(old) {
			return
		}
	}
}

func (tx *Tx) unlock() {
	if tx.header.lock.Swap(0)&contended != 0 {
		tx.wakeNext()
	}
}

// wakeNext wakes one of those who sleep until the lock is free. Apart from it,
// unlock is inlined.
//
//go:noinline
func (tx *Tx) wakeNext() {
	tx.calls += uint64(tx.arena.host.Wake(&tx.header.lock, 1))
}

// takeFromDead takes the lock from a holder whose process is gone, and undoes
// what it left unfinished. Before it takes the lock it notes whose work it
// takes over: if it is killed in turn, its successor finds the note and undoes
// both.
func (tx *Tx) takeFromDead(held uint32) bool {
	a := tx.arena
	dead := Ref[journal](held &^ contended)
	if !journalKinds.Is(a, dead) {
		return false
	}
	gone, calls := a.host.Dead(*dead.In(a).slot.In(a))
	tx.calls += uint64(calls)
	if !gone {
		return false
	}
	tx.journal.taking = dead
	if !tx.header.lock.CompareAndSwap(held, uint32(tx.ref)|contended) {
		tx.journal.taking = 0
		return false
	}
	tx.recover(dead)
	tx.journal.taking = 0
	return true
}

// recover undoes what the dead owner of a journal left, and what that one had
// not yet undone of its predecessors, and has all sleepers woken.
func (tx *Tx) recover(dead Ref[journal]) {
	a := tx.arena
	for j := dead; j != 0; j = j.In(a).taking {
		a.undo(j.In(a))
	}
	if a.opts.Recovered != nil {
		a.opts.Recovered(tx)
	}
	a.header.recovered.Add(1)
}

// inherit finishes what the last user of the bootstrap journal left when it
// died in the lock. The device lets only one process at a time use that
// journal, so a lock that names it belongs to the caller now.
func (tx *Tx) inherit() bool {
	if tx.header.lock.Load()&^contended != uint32(tx.ref) {
		return false
	}
	tx.recover(tx.ref)
	return true
}

// Holder is the process and thread that hold the lock, for diagnostics; 0 and
// 0 if nobody does. It is true for the moment of asking only.
func (a *Arena) Holder() (pid, tid int32) {
	_ = Survive(func() error {
		held := Ref[journal](a.header.lock.Load() &^ contended)
		if held != 0 && journalKinds.Is(a, held) {
			j := held.In(a)
			pid, tid = j.slot.In(a).PID, j.tid
		}
		return nil
	})
	return pid, tid
}

// Park marks the word as slept on, as Sleep does, without sleeping: who advances
// it calls Host.Wake. It says false if the word's number is no longer number.
func (tx *Tx) Park(w *WaitWord, number uint32) bool {
	old := number << 1
	return w.word.CompareAndSwap(old, old|asleep) || w.word.Load() == old|asleep
}

// Sleep waits until the word's number is no longer number, at most for
// timeout, which may be Forever. It may return early, and says whether a signal
// was the reason.
func (tx *Tx) Sleep(w *WaitWord, number uint32, timeout time.Duration) (interrupted bool) {
	if !tx.Park(w, number) {
		return false
	}
	tx.calls++
	return tx.arena.host.Wait(&w.word, number<<1|asleep, timeout)
}

// Rouse wakes the thread that waits on w at once, even one whose word says that
// it was woken already: the process that should have done so may have died.
func (tx *Tx) Rouse(w *WaitWord) {
	w.advance()
	tx.calls += uint64(tx.arena.host.Wake(&w.word, 1))
}

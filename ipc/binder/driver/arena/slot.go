package arena

import "sync"

// Slot is a process that is attached to the arena. A device fills it in when
// the process joins, and judges by it whether the process still lives.
type Slot struct {
	Header
	PID      int32
	UID      uint32
	Start    uint64 // when the process started, in the kernel's clock ticks
	User     uint64 // for the device's own use
	Next     Ref[Slot]
	journals Ref[journal] // all that the process has
}

var slotKinds = NewKind[Slot](slotKind, "slot", 0)

// Member is this process as a member of the arena.
type Member struct {
	arena *Arena
	slot  Ref[Slot]

	mu   sync.Mutex
	main *Tx
	idle []*Tx
}

func (a *Arena) formatBootstrap() {
	bootstrapSlotLine.In(a).tag = slotKinds.info.liveTag()
	j := bootstrapJournalLine.In(a)
	j.tag = journalKinds.info.liveTag()
	j.slot = bootstrapSlotLine
}

// newTx is the view of a journal that exists.
func (a *Arena) newTx(r Ref[journal]) *Tx {
	j := r.In(a)
	tx := &Tx{base: a.base, last: a.last, arena: a, header: a.header, hook: a.opts.Step, ref: r, journal: j, images: imagesOf(j), waker: a.host}
	tx.wakes = tx.room[:0]
	return tx
}

// Join makes the process a member. Only one process at a time may do so; the
// device excludes the others by a lock that ends with the process. The error
// wraps ErrFull.
func (a *Arena) Join(self Slot) (*Member, error) {
	lent := bootstrapSlotLine.In(a)
	lent.PID, lent.UID, lent.Start, lent.User = self.PID, self.UID, self.Start, self.User
	tx := a.newTx(bootstrapJournalLine)
	tx.Begin()
	slot, j, err := tx.newMember(self)
	if err != nil {
		tx.Rollback()
		tx.End()
		return nil, err
	}
	tx.End()
	return &Member{arena: a, slot: slot, main: a.newTx(j)}, nil
}

func (tx *Tx) newMember(self Slot) (Ref[Slot], Ref[journal], error) {
	slot, err := slotKinds.New(tx)
	if err != nil {
		return 0, 0, err
	}
	s := slot.Edit(tx)
	s.PID, s.UID, s.Start, s.User = self.PID, self.UID, self.Start, self.User
	top := directoryLine.Edit(tx)
	s.Next, top.members = top.members, slot
	j, err := tx.newJournal(slot, self.PID)
	return slot, j, err
}

func (tx *Tx) newJournal(slot Ref[Slot], tid int32) (Ref[journal], error) {
	j, err := journalKinds.New(tx)
	if err != nil {
		return 0, err
	}
	p, s := j.Edit(tx), slot.Edit(tx)
	p.slot, p.tid = slot, tid
	p.next, s.journals = s.journals, j
	return j, nil
}

// Slot is the member's own slot.
func (m *Member) Slot() Ref[Slot] { return m.slot }

// Do runs f in a transaction of the process as a whole, for rare operations
// that belong to no thread. An error of f undoes what it did since its last
// Commit; damage that it runs into is such an error.
func (m *Member) Do(f func(tx *Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.do(f)
}

func (m *Member) do(f func(tx *Tx) error) error {
	return Survive(func() error {
		m.main.Begin()
		err := Survive(func() error { return f(m.main) })
		if err != nil {
			m.main.Rollback()
		}
		m.main.End()
		return err
	})
}

// Calls is how many system calls were made so far for the process as a whole, by
// Do: sleeps on the lock, and wake-ups.
func (m *Member) Calls() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.main.calls
}

// Tx returns a Tx for the thread with the given number, which gives it back
// with Release when it ends. Calls that it cost to make it are the thread's. The
// error wraps ErrFull.
func (m *Member) Tx(tid int32) (tx *Tx, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if tx = m.reuse(); tx != nil {
		return tx, Survive(func() error {
			tx.journal.tid = tid
			return nil
		})
	}
	before := m.main.calls
	err = m.do(func(main *Tx) error {
		j, err := main.newJournal(m.slot, tid)
		if err == nil {
			tx = m.arena.newTx(j)
		}
		return err
	})
	if err == nil {
		tx.calls, m.main.calls = m.main.calls-before, before
	}
	return tx, err
}

func (m *Member) reuse() *Tx {
	if len(m.idle) == 0 {
		return nil
	}
	tx := m.idle[len(m.idle)-1]
	m.idle = m.idle[:len(m.idle)-1]
	tx.calls = 0
	return tx
}

// Release takes a Tx back for other threads.
func (m *Member) Release(tx *Tx) {
	m.mu.Lock()
	defer m.mu.Unlock()
	tx.waker = m.arena.host
	m.idle = append(m.idle, tx)
}

// Joined is a process that joined and was not removed.
type Joined struct {
	Ref  Ref[Slot]
	Slot Slot
}

// Members are all processes that joined and were not removed.
func (tx *Tx) Members() (all []Joined) {
	a := tx.arena
	for s := directoryLine.In(a).members; s != 0; s = s.In(a).Next {
		all = append(all, Joined{s, *s.In(a)})
	}
	return all
}

// Listed says whether a process that once joined was not removed yet.
func (tx *Tx) Listed(m Joined) bool {
	for s := directoryLine.In(tx.arena).members; s != 0; s = s.In(tx.arena).Next {
		if s == m.Ref {
			p := s.In(tx.arena)
			return p.User == m.Slot.User && p.PID == m.Slot.PID && p.Start == m.Slot.Start
		}
	}
	return false
}

// Remove frees the slot and the journals of a process that is dead, on behalf
// of which tx, a survivor's, runs. It commits as it goes.
func (tx *Tx) Remove(slot Ref[Slot]) {
	a := tx.arena
	for j := slot.In(a).journals; j != 0; j = slot.In(a).journals {
		slot.Edit(tx).journals = j.In(a).next
		journalKinds.Free(tx, j)
		tx.Commit()
	}
	top := directoryLine.Edit(tx)
	if top.members == slot {
		top.members = slot.In(a).Next
	} else {
		prev := top.members
		for prev.In(a).Next != slot {
			prev = prev.In(a).Next
		}
		prev.Edit(tx).Next = slot.In(a).Next
	}
	slotKinds.Free(tx, slot)
	tx.Commit()
}

// Leave makes the process no member any more, and says how many others are left. As
// with Join, only one process at a time may do so. The member's journals are others'
// from then on, and its methods panic.
func (m *Member) Leave() (others int) {
	a := m.arena
	s, lent := m.slot.In(a), bootstrapSlotLine.In(a)
	lent.PID, lent.UID, lent.Start, lent.User = s.PID, s.UID, s.Start, s.User
	tx := a.newTx(bootstrapJournalLine)
	tx.Begin()
	tx.Remove(m.slot)
	others = len(tx.Members())
	tx.End()
	m.main, m.idle = nil, nil
	return others
}

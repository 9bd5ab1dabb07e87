package arena

import (
	"fmt"
	"sync/atomic"
)

const (
	journalSize = 32<<10 - headerSize - 32
	// journalSoft is where a long operation does well to commit what it has.
	journalSoft = journalSize / 4
)

// journal is where one thread of a process saves what it is about to change.
// Only the images' owner writes to it while it lives, so that its lines stay
// in the owner's cache.
type journal struct {
	Header
	slot   Ref[Slot]
	next   Ref[journal] // of the same slot
	tid    int32
	taking Ref[journal] // whose transaction the owner is rolling back
	count  uint32       // saved images; 0: nothing to undo
	_      [12]byte
	images [journalSize]byte
}

// entry precedes each saved image.
type entry struct {
	line uint32
	size uint32
	_    uint64
}

const entrySize = 16

var journalKinds = NewKind[journal](journalKind, "journal", headerSize+16)

// Tx is one thread's right to hold the driver lock, with its own journal.
// Between Begin and End it is the transaction in which records are changed. A
// Tx belongs to one thread at a time.
type Tx struct {
	base    address
	last    uint32
	arena   *Arena
	header  *fileHeader
	hook    func(Step)
	ref     Ref[journal]
	used    uint32 // bytes of images
	journal *journal
	images  address // of the journal
	seq     uint64
	wakes   []*WaitWord  // to be woken by End; nil: it does not sleep
	room    [2]*WaitWord // for wakes, which are seldom more
	waker   Waker
	settled int // how many of them have their words changed
	calls   uint64
}

// Calls is how many system calls were made for the Tx so far: sleeps on the lock
// or a wait word, and wake-ups.
func (tx *Tx) Calls() uint64 { return tx.calls }

// Called counts system calls that were made for the Tx's thread elsewhere.
func (tx *Tx) Called(calls int) { tx.calls += uint64(calls) }

// Arena is the arena whose records the transaction changes.
func (tx *Tx) Arena() *Arena { return tx.arena }

// Begin takes the lock and starts a transaction.
//
// It panics with ErrDamaged if the arena was given up.
func (tx *Tx) Begin() {
	if !tx.header.lock.CompareAndSwap(0, uint32(tx.ref)) {
		tx.lock()
	}
	if tx.header.sound != magic {
		tx.refuse()
	}
	tx.start()
	tx.step(StepLocked)
}

//go:noinline
func (tx *Tx) refuse() {
	tx.unlock()
	panic(tx.arena.check())
}

// start numbers the transaction. The number is taken before anything is
// saved, so that two transactions never share one.
func (tx *Tx) start() {
	tx.seq = tx.header.seq + 1
	tx.header.seq = tx.seq
	tx.used = 0
}

// step reports a step to the test's hook.
func (tx *Tx) step(s Step) {
	if tx.hook != nil {
		tx.hook(s)
	}
}

// Commit makes all changes so far permanent, keeps the lock and starts the
// next transaction: a long operation goes on in steps that each hold by
// themselves.
func (tx *Tx) Commit() {
	tx.settle()
	tx.start()
}

// Full says that the transaction has saved so much that it should be
// committed at the next point where its changes make sense alone.
func (tx *Tx) Full() bool { return tx.used > journalSoft }

// End commits, changes the wait words of all threads given to Wake, unlocks,
// and wakes those that sleep.
func (tx *Tx) End() {
	tx.settle()
	tx.unlock()
	tx.step(StepUnlocked)
	if len(tx.wakes) > 0 {
		tx.rouse()
	}
	tx.step(StepWoken)
}

// settle is the point of no return: from its first store on the changes hold,
// and whoever recovers wakes all sleepers, as the rest of it would have done.
func (tx *Tx) settle() {
	tx.journal.count = 0
	tx.step(StepCommitted)
	if tx.settled < len(tx.wakes) {
		tx.advance()
	}
}

// advance changes the wait words, and forgets those on which nobody sleeps.
func (tx *Tx) advance() {
	for ; tx.settled < len(tx.wakes); tx.settled++ {
		if !tx.wakes[tx.settled].advance() {
			tx.wakes[tx.settled] = nil
		}
		tx.step(StepWaitWord)
	}
}

// rouse wakes the sleepers whose words were changed. A process that is killed
// before it comes to that leaves them asleep until somebody calls Rouse.
func (tx *Tx) rouse() {
	for _, w := range tx.wakes {
		if w != nil {
			tx.calls += uint64(tx.waker.Wake(&w.word, 1))
		}
	}
	tx.wakes, tx.settled = tx.wakes[:0], 0
}

// SetWaker has w wake the threads given to Wake in the place of the Host, so that a
// caller can wake them a little later.
func (tx *Tx) SetWaker(w Waker) { tx.waker = w }

// Wake has End wake the thread that waits on w.
func (tx *Tx) Wake(w *WaitWord) { tx.wakes = append(tx.wakes, w) }

// Rouses says whether End will wake somebody who sleeps.
func (tx *Tx) Rouses() bool {
	for _, w := range tx.wakes {
		if w.word.Load()&asleep != 0 {
			return true
		}
	}
	return false
}

// Rollback undoes all changes since Begin or the last Commit and keeps the
// lock.
func (tx *Tx) Rollback() {
	tx.arena.undo(tx.journal)
	tx.wakes = tx.wakes[:tx.settled]
	tx.start()
}

// undo puts all saved images of a journal back, the newest state of each
// being saved once. Until the count is 0 it can be done again from the start.
func (a *Arena) undo(j *journal) {
	off := uint32(0)
	for range j.count {
		if off+entrySize > journalSize {
			panic(fmt.Errorf("%w: journal", ErrDamaged))
		}
		e := entryAt(j.images[:], off)
		if uint64(off)+entrySize+uint64(e.size) > journalSize {
			panic(fmt.Errorf("%w: journal", ErrDamaged))
		}
		copy(a.bytesAt(e.line, int(e.size)), j.images[off+entrySize:off+entrySize+e.size])
		off += entrySize + (e.size+LineSize-1)&^(LineSize-1)
		a.step(StepRolledBack)
	}
	j.count = 0
}

// WaitWord is what a thread sleeps on: a number that each wake-up advances,
// and in the lowest bit whether the thread sleeps.
type WaitWord struct {
	word atomic.Uint32
}

const asleep = 1

// Word is what Host.Wake is called with.
func (w *WaitWord) Word() *atomic.Uint32 { return &w.word }

// Number is the number of wake-ups so far.
func (w *WaitWord) Number() uint32 { return w.word.Load() >> 1 }

// advance changes the number and says whether a sleeper must be woken.
func (w *WaitWord) advance() bool {
	for {
		old := w.word.Load()
		if w.word.CompareAndSwap(old, (old>>1+1)<<1) {
			return old&asleep != 0
		}
	}
}

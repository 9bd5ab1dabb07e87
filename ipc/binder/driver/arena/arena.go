// Package arena keeps the state of a Binder driver in memory that several
// processes share: pointer-free records that refer to each other by typed
// index, one lock over all of them, and an undo journal that makes every
// change under the lock all or nothing, even if the process that makes it is
// killed between two instructions.
//
// # Records
//
// A record is a Go struct without pointers that begins with a Header. It is
// reached through a Ref, the number of the cache line where it starts: In
// gives it for reading, Edit for changing. Each kind of record has a slab with
// a free list; memory that a kind once took stays with it. What few transactions
// change of a record lies on lines of its own that are saved apart (Kind.Rest): an
// image then has one line, and the others are not touched.
//
// # Lock, journal, recovery
//
// The lock is a futex mutex whose word names its holder in the same
// compare-and-swap that takes it. The first Edit of a record in a transaction
// saves the record's old image in the holder's journal, the image first and
// then the count of images, both by plain stores: a killed process has
// executed a prefix of its instructions, so nothing stronger is needed.
// Setting the count to zero commits. Whoever finds that the holder's process
// is gone takes the lock over, puts the images back, tells the driver to wake
// all sleepers, and goes on. Doing that twice does no harm, so it may itself
// be killed.
//
// A holder is dead only when the device says that its whole process is, since
// a sibling thread could still be running. Known gap: a process that is
// stopped while it holds the lock delays all others until it continues;
// Holder names it.
//
// A change that nothing saved would show only when a process dies in the right place.
// Audit finds it in any transaction, and tests run the whole conformance suite under it.
//
// The idea of saving images before changing them in place is that of the
// rollback journal of SQLite; typed references into mapped memory are used as
// bbolt uses page ids.
package arena

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Errors of an arena.
var (
	// ErrMagic says that the memory is not an arena.
	ErrMagic = errors.New("binder arena: wrong magic")
	// ErrVersion says that the arena was made by a program whose records are
	// laid out differently.
	ErrVersion = errors.New("binder arena: wrong version or record layout")
	// ErrSize says that the memory is not as large as the arena says it is.
	ErrSize = errors.New("binder arena: wrong size")
	// ErrDamaged says that a reference leads nowhere or a record is not what
	// it should be.
	ErrDamaged = errors.New("binder arena: damaged")
	// ErrFull says that the arena has no room for another record, or the file
	// system none for the arena.
	ErrFull = errors.New("binder arena: full")
)

const (
	// LineSize is the unit of references: records start at multiples of it.
	LineSize = 64

	magic   = 0x726564_6e6962 // "binder"
	version = 3

	chunkSize  = 64 << 10
	chunkLines = chunkSize / LineSize
	growStep   = 1 << 20

	// MinSize and MaxSize are the smallest and the largest size of an arena in
	// bytes: Edit reckons offsets in 32 bits.
	MinSize = 4 * chunkSize
	MaxSize = 4 << 30
)

// fileHeader lies at the start of the memory. Lock word and fixed data are on
// lines of their own, so that waiting does not slow readers down.
type fileHeader struct {
	magic   uint64
	version uint32
	layout  uint32 // hash of the kinds, see layoutHash
	size    uint64
	root    uint32
	_       [LineSize - 28]byte

	lock      atomic.Uint32
	recovered atomic.Uint32 // how often the lock was taken from the dead
	seq       uint64        // of transactions; changed by the lock's holder
	committed uint64        // bytes that have storage; changed by the lock's holder
	sound     uint64        // magic, beside the lock for who takes it
	_         [LineSize - 32]byte
}

// Forever is the timeout of a wait without end.
const Forever time.Duration = -1

// Host is what an arena needs from whoever provides its memory.
type Host interface {
	// Commit gives storage to the first size bytes of the memory, so that
	// storing to them cannot fault.
	Commit(size int64) error
	// Dead says whether the process of a slot is gone for good, and how many
	// system calls it made to know.
	Dead(slot Slot) (dead bool, calls int)
	// Wait sleeps while *word == value, at most for timeout, which may be
	// Forever; it may return early, and says whether a signal was the reason.
	Wait(word *atomic.Uint32, value uint32, timeout time.Duration) (interrupted bool)
	Waker
}

// Waker wakes up to n sleepers on a word, and returns how many system calls it made
// for it.
type Waker interface {
	Wake(word *atomic.Uint32, n int) (calls int)
}

// Step names a point at which a process may be cut off by a test.
type Step uint8

// The steps, in the order in which a transaction passes them.
const (
	StepLocked     Step = iota // the lock is taken, nothing is saved yet
	StepSaved                  // an image is saved, the record is not changed yet
	StepCommitted              // the changes hold, the wake-ups are not done yet
	StepWaitWord               // a wait word is changed
	StepUnlocked               // the lock is free, the sleepers still sleep
	StepWoken                  // all is done
	StepRolledBack             // an image was put back
	StepOutside                // a point outside the lock, named by the driver: around a copy
)

// String names the step.
func (s Step) String() string {
	return [...]string{"locked", "saved", "committed", "wait word", "unlocked", "woken", "rolled back", "outside"}[s]
}

// Options are the parts of an arena that differ between processes.
type Options struct {
	Host Host
	// Recovered, if not nil, is called with the lock held after the changes
	// of a dead holder were undone or found complete. It rouses all sleepers:
	// those that the dead one should have woken are not known.
	Recovered func(*Tx)
	// Step, if not nil, is called at each step: a hook for tests that cut the
	// process off.
	Step func(Step)
}

// Arena is one process's view of the shared memory.
type Arena struct {
	memory
	header *fileHeader
	kinds  []kindInfo
	host   Host
	opts   Options
}

// Format makes the memory, which must be zero, an arena with the given kinds
// of records and attaches to it. The memory stays in use as long as the arena.
func Format(mem []byte, kinds []AnyKind, o Options) (*Arena, error) {
	if len(mem) < MinSize || len(mem) > MaxSize || len(mem)%chunkSize != 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrSize, len(mem))
	}
	if err := o.Host.Commit(chunkSize); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFull, err)
	}
	a := attach(mem, kinds, o)
	h := a.header
	h.version, h.layout, h.size = version, layoutHash(a.kinds), uint64(len(mem))
	h.committed = chunkSize
	dir := directoryLine.In(a)
	dir.tag, dir.nextChunk = directoryKinds.info.liveTag(), chunkLines
	for kind := range uint8(maxKinds) {
		slabOf(kind).In(a).tag = slabKinds.info.liveTag()
	}
	a.formatBootstrap()
	h.sound = magic
	h.magic = magic // last: who finds it finds all
	return a, nil
}

// Open attaches to memory that Format once made an arena. The error wraps
// ErrMagic, ErrVersion, ErrSize or ErrDamaged.
func Open(mem []byte, kinds []AnyKind, o Options) (*Arena, error) {
	if len(mem) < MinSize || len(mem) > MaxSize || len(mem)%chunkSize != 0 {
		return nil, fmt.Errorf("%w: %d bytes", ErrSize, len(mem))
	}
	a := attach(mem, kinds, o)
	h := a.header
	switch {
	case h.magic != magic:
		return nil, fmt.Errorf("%w: %#x", ErrMagic, h.magic)
	case h.version != version:
		return nil, fmt.Errorf("%w: version %d, this program has %d", ErrVersion, h.version, version)
	case h.layout != layoutHash(a.kinds):
		return nil, fmt.Errorf("%w: layout %#x, this program has %#x", ErrVersion, h.layout, layoutHash(a.kinds))
	case h.size != uint64(len(mem)):
		return nil, fmt.Errorf("%w: %d bytes, the arena says %d", ErrSize, len(mem), h.size)
	case h.committed > h.size || !directoryKinds.Is(a, directoryLine):
		return nil, fmt.Errorf("%w: header", ErrDamaged)
	}
	return a, nil
}

func attach(mem []byte, kinds []AnyKind, o Options) *Arena {
	a := &Arena{memory: newMemory(mem), host: o.Host, opts: o}
	a.header = a.fileHeader()
	a.kinds = kindTable(kinds)
	return a
}

// Root is the reference that SetRoot left: where the driver's records begin.
func (a *Arena) Root() uint32 { return a.header.root }

// SetRoot stores a reference for Root.
func (a *Arena) SetRoot(r uint32) { a.header.root = r }

// Recoveries is how often the lock was taken from a dead holder.
func (a *Arena) Recoveries() int { return int(a.header.recovered.Load()) }

// Committed is the number of bytes of the arena that have storage.
func (a *Arena) Committed() int64 { return int64(a.header.committed) }

// step reports a step to the test's hook.
func (a *Arena) step(s Step) {
	if a.opts.Step != nil {
		a.opts.Step(s)
	}
}

// Outside reports StepOutside to the test's hook.
func (a *Arena) Outside() { a.step(StepOutside) }

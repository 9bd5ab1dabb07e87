// Package driver is the core of a Binder driver: what the kernel's
// drivers/android/binder.c does, over records in an arena that processes
// share, running in whoever calls it. Each binder_proc, binder_thread,
// binder_node, binder_ref, binder_transaction is a record of the same name,
// and each of them has its file here.
//
// # Lock order
//
// One lock, the arena's, guards all records; the mutex of a Thread is taken
// before it and keeps a caller thread's calls apart. The lock is never held
// while caller memory is copied or a thread sleeps: a transaction allocates
// its buffer under the lock, copies outside, and is queued under the lock
// again. Commands that follow each other without a copy between them share
// one hold of the lock.
//
// # Sleeping and death
//
// A thread sleeps on its wait word without a limit. A process that is killed
// after it changed the word and before it entered the kernel to wake the
// sleeper leaves one who would sleep for ever; so whoever releases a dead
// process wakes all threads of the context first. A killed rescuer is a dead
// process itself, for the next one to release. (Sleeping with a limit instead,
// and looking at the word again when it has passed, was the first version; it
// costs a timer per sleep, see docs/architecture.md.)
//
// # Release
//
// A process is released in steps that are transactions, each found by what is
// left, so that others can work between them, and whoever comes next goes on
// after a kill. After a bounded number of them the lock is given back for a
// moment.
//
// # Ways that differ from the kernel's
//
// A sender that finds the receiving thread asleep, or with nothing else to read,
// takes the transaction off the queue on its behalf and leaves it, ready to be
// read, in the thread's mailbox, so that the thread needs no lock for it. A completion that waits
// for the reply is a mark on the thread rather than a record. Neither can be
// told from outside.
//
// Behaviour is that of Linux 6.12, freeze notifications included. Priorities
// are not inherited. See docs/binder-parity.md.
package driver

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// ProcID names an open binder_proc for as long as the context exists.
type ProcID uint32

// Owner is the process of a binder_proc by the device's own word, the User of
// its slot.
type Owner uint64

// FileKey names a file descriptor under way.
type FileKey struct {
	Transaction uint64
	Index       uint32
}

// Host is what the driver needs of the device that it runs in. Threads sleep
// without end, so the device watches the processes of the context and calls
// ReleaseDead for each that dies: what that one should have woken is woken then.
type Host interface {
	arena.Host

	// Window is the driver's writable view of a process's region of length
	// bytes. The slice may be looked at even after Forget. An error means
	// that the region is gone.
	Window(id ProcID, length int) ([]byte, error)
	// Forget says that the process and its region are gone for good.
	Forget(id ProcID)
	// Populate gives storage to a part of a region, in bytes, with one system
	// call.
	Populate(id ProcID, offset, length int64) error
	// Punch takes the storage of a part of a region away.
	Punch(id ProcID, offset, length int64)

	// DropFile throws a descriptor away that was sent and will not be taken.
	DropFile(to Owner, key FileKey)
}

// AddressSpace is the memory of a calling process. Both calls fail with EFAULT
// if the address is bad, possibly after copying a part, and with ESRCH if the
// process has died meanwhile. The driver calls them with debug.SetPanicOnFault on.
type AddressSpace interface {
	CopyFromUser(dst []byte, addr uint64) error
	CopyToUser(addr uint64, src []byte) error
}

// Task is a calling process as one of its threads has it: its memory and its
// descriptors.
type Task interface {
	AddressSpace

	// SendFile hands the process's descriptor to another process.
	SendFile(to Owner, key FileKey, fd int32) error
	// TakeFile makes a descriptor that was sent one of the process.
	TakeFile(key FileKey) (int32, error)
	// CloseFile closes a descriptor of the process.
	CloseFile(fd int32)
}

// Near is a Task, and no Parker, whose memory the driver can look at where it is.
type Near interface {
	Task
	// At is n bytes of the caller's memory, nil if there can be none at the address.
	// Touching them may fault.
	At(addr uint64, n int) []byte
}

// Parker is a Task whose thread does not sleep in the driver: Ioctl returns
// ErrParked where it would, and the call goes on with Thread.Resume, in
// whichever goroutine the device likes. It is to be called when the driver wakes
// the word (Host.Wake), or to interrupt the call; spurious calls do no harm.
type Parker interface {
	Task
	// Park announces the thread and the word before the thread is parked.
	// Host.Wake may follow before Ioctl has returned.
	Park(t *Thread, word *atomic.Uint32)
	// Waker is called in the place of the Host's for threads that this one wakes.
	arena.Waker
}

// ErrParked says that a call waits for work. No other call of the thread begins
// before it has ended.
var ErrParked = errors.New("binder: the call is parked")

// Wait says how a thread waits for work.
type Wait uint8

// The ways to wait. Of the idle threads of a process only the one that the next
// call goes to looks, the others sleep.
const (
	WaitBlock    Wait = iota // asleep
	WaitAdaptive             // looking at the word for a while, then asleep
	WaitSpin                 // looking at the word
)

// AdaptiveSpin is how long an adaptive wait looks before it sleeps.
const AdaptiveSpin = 50 * time.Microsecond

// looks is how often a thread looks before it sees what time it is, and whether it
// is still its turn to look.
const looks = 200

// Driver is a process's attachment to a context.
type Driver struct {
	a      *arena.Arena
	member *arena.Member
	host   Host
	ctx    arena.Ref[contextRec]
	limits Limits
	trace  func(Event) // nil: nobody listens
	// local are this process's binder_procs.
	local sync.Map // ProcID to *Proc
}

// Limits are what the processes of a context may have; 0 is without limit.
type Limits struct {
	Buffers int // in a region, half of them for one-way calls: ENOSPC
	Objects int // nodes, and handles, of a process: ENOMEM
}

// buffers is how many there may be for a call to get one more. As with the bytes of
// a region, one-way calls leave half to those that somebody waits for.
func (l Limits) buffers(oneway bool) int {
	if oneway {
		return (l.Buffers + 1) / 2
	}
	return l.Buffers
}

// SetLimits sets the limits of what this process does with the context, before it
// opens anything.
func (d *Driver) SetLimits(l Limits) { d.limits = l }

// Kinds are the kinds of record of a driver's arena.
var Kinds = append(append([]arena.AnyKind{}, alloc.Kinds...), driverKinds...)

// Create makes zeroed memory a context and joins it; Join joins one that is
// there. Only one process at a time may do either. Errors wrap those of the
// arena.
func Create(mem []byte, self arena.Slot, h Host, step func(arena.Step)) (*Driver, error) {
	d := &Driver{host: h}
	return d, arena.Survive(func() error { return d.create(mem, self, step) })
}

func (d *Driver) create(mem []byte, self arena.Slot, step func(arena.Step)) (err error) {
	if d.a, err = arena.Format(mem, Kinds, d.options(step)); err != nil {
		return err
	}
	if d.member, err = d.a.Join(self); err != nil {
		return err
	}
	err = d.member.Do(func(tx *arena.Tx) error {
		d.ctx, err = contexts.New(tx)
		return err
	})
	d.a.SetRoot(uint32(d.ctx))
	return err
}

// Join joins a context that Create made.
func Join(mem []byte, self arena.Slot, h Host, step func(arena.Step)) (*Driver, error) {
	d := &Driver{host: h}
	return d, arena.Survive(func() error { return d.join(mem, self, step) })
}

func (d *Driver) join(mem []byte, self arena.Slot, step func(arena.Step)) (err error) {
	if d.a, err = arena.Open(mem, Kinds, d.options(step)); err != nil {
		return err
	}
	d.ctx = arena.Ref[contextRec](d.a.Root())
	if !contexts.Is(d.a, d.ctx) {
		return fmt.Errorf("%w: no context", arena.ErrDamaged)
	}
	d.member, err = d.a.Join(self)
	return err
}

func (d *Driver) options(step func(arena.Step)) arena.Options {
	return arena.Options{Host: d.host, Recovered: d.wakeAll, Step: step}
}

// Leave ends the attachment, and says how many other processes are attached; 0, too,
// if the arena is damaged. All binder_procs of the process must have been closed.
// Only one process at a time may leave or join.
func (d *Driver) Leave() (others int) {
	_ = arena.Survive(func() error {
		others = d.member.Leave()
		return nil
	})
	return others
}

// Condemn gives the context up: its memory was damaged from outside. Whoever waits
// in this process, for work or for the lock, is woken, and every call in any process
// fails with EIO from now on. Each member has to do that.
func (d *Driver) Condemn() error {
	var words []*arena.WaitWord
	d.local.Range(func(_, p any) bool {
		p.(*Proc).threads.Range(func(_, t any) bool {
			if w := t.(*Thread).word.Load(); w != nil {
				words = append(words, w)
			}
			return true
		})
		return true
	})
	return d.a.Condemn(words)
}

// Slot is the process's slot in the arena.
func (d *Driver) Slot() arena.Ref[arena.Slot] { return d.member.Slot() }

// Arena is the memory of the context.
func (d *Driver) Arena() *arena.Arena { return d.a }

// wakeAll wakes every thread of the context, or has it look again: the one who
// should have woken some of them is dead.
func (d *Driver) wakeAll(tx *arena.Tx) {
	if d.ctx == 0 {
		d.ctx = arena.Ref[contextRec](d.a.Root())
	}
	for p := d.ctx.In(d.a).procs.First; p != 0; p = p.In(d.a).rest.link.Next {
		root := p.In(d.a).rest.threads
		for t := threadsByTID.First(d.a, root); t != 0; t = threadsByTID.Next(d.a, root, t) {
			tx.Rouse(&t.In(d.a).wait)
		}
	}
}

// contextRec is binder_context: what all processes of the device share.
type contextRec struct {
	contextState
	_ [16]byte
	// Numbers that need no undoing: a gap in them does no harm.
	lastID uint64 // of transactions and everything else that is numbered
	totals Totals // but for transactions and completes, which the threads count
	stats  Stats  // of processes that are gone
}

// contextState is the part of a context that the journal saves.
type contextState struct {
	arena.Header
	manager    arena.Ref[node]
	managerSet bool // managerUID counts
	managerUID uint32
	procs      arena.Ends[proc]
	dead       arena.Ends[node] // nodes without owner that are still referred to
}

// nextID is the next number for something that diagnostics name. The lock is
// held.
func (d *Driver) nextID() uint64 { return d.nextIDs(1) }

// nextIDs is the last of the next n numbers.
func (d *Driver) nextIDs(n uint64) uint64 {
	c := d.ctx.In(d.a)
	c.lastID += n
	return c.lastID
}

// Proc is an open binder_proc of this process.
type Proc struct {
	d        *Driver
	ref      arena.Ref[proc]
	rec      *proc
	id       ProcID
	identity Identity
	task     func(tid int32) Task
	nonblock atomic.Bool
	wait     atomic.Uint32
	threads  sync.Map               // int32 to *Thread
	recent   atomic.Pointer[Thread] // who called last
	files    atomic.Int32
}

// Identity is who opens a device.
type Identity struct {
	PID  int32
	EUID uint32
	// SecurityContext is what nodes that ask for it are told of the sender;
	// empty if there is none.
	SecurityContext string
}

// Open is open of the device: it makes a binder_proc, whose threads each get a
// Task. The error is ENOMEM if the arena is full, EIO if it is damaged.
func (d *Driver) Open(id Identity, task func(tid int32) Task) (*Proc, error) {
	p := &Proc{d: d, identity: id, task: task}
	err := d.member.Do(func(tx *arena.Tx) error {
		r, err := d.newProc(tx, id)
		if err == nil {
			p.ref, p.rec = r, r.In(d.a)
			p.id = ProcID(p.rec.id)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("binder open: %w", errno(err))
	}
	p.files.Store(1)
	d.local.Store(p.id, p)
	return p, nil
}

// ID is the number that names the binder_proc to the device.
func (p *Proc) ID() ProcID { return p.id }

// SetNonblock is O_NONBLOCK of the file.
func (p *Proc) SetNonblock(on bool) { p.nonblock.Store(on) }

// SetWait chooses how the threads wait from now on.
func (p *Proc) SetWait(w Wait) { p.wait.Store(uint32(w)) }

// Get takes one more reference to the file: for dup and for a mapping.
func (p *Proc) Get() { p.files.Add(1) }

// Close is close of one reference to the file: it sends blocked readers home,
// and releases the binder_proc with the last one.
func (p *Proc) Close() {
	p.flush()
	p.Put()
}

// Put gives a reference back without flushing, as unmapping does.
func (p *Proc) Put() {
	if p.files.Add(-1) > 0 {
		return
	}
	p.flush()
	var threads []*Thread
	p.threads.Range(func(_, v any) bool {
		t := v.(*Thread)
		t.mu.Lock() // wait for the calls that flush sent home
		threads = append(threads, t)
		return true
	})
	p.d.local.Delete(p.id)
	p.d.inTurns(func(tx *arena.Tx) (over bool) { return p.d.release(tx, p.ref) })
	for _, t := range threads {
		if !t.gone {
			t.retire()
		}
		t.mu.Unlock()
	}
}

// flush makes all threads return to user space.
func (p *Proc) flush() {
	_ = p.d.member.Do(func(tx *arena.Tx) error {
		root := p.ref.In(p.d.a).rest.threads
		for t := threadsByTID.First(p.d.a, root); t != 0; t = threadsByTID.Next(p.d.a, root, t) {
			t.Edit(tx).needReturn = true
			wake(tx, t)
			if tx.Full() {
				tx.Commit()
			}
		}
		return nil
	})
}

package driver

import (
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// Looper bits of a thread, as the kernel numbers them.
const (
	looperRegistered = 1 << iota
	looperEntered
	looperExited
	looperInvalid
	_ // waiting: see armed
	looperPoll
)

// Thread is one caller thread of this process. Its methods run with mu held:
// a key that two goroutines use at once is served one after the other. What each call
// needs lies together, on few lines: a large payload drives them out of the near caches.
type Thread struct {
	mu   sync.Mutex
	gone bool // the thread exited or the file is closed
	key  int32

	d      *Driver
	p      *Proc
	task   Task
	parker Parker // task, if it is one
	near   Near   // task, if it is one
	proc   arena.Ref[proc]
	ref    arena.Ref[thread] // 0 until the first call
	rec    *thread
	word   atomic.Pointer[arena.WaitWord] // of rec, for Condemn
	tx     *arena.Tx
	locked bool // tx holds the driver lock
	faults bool // what the goroutine that calls does about faults otherwise
	terse  bool // it is not told that its replies were sent

	nonblock  bool                   // the call does not wait
	parked    bool                   // the call waits for work
	parkedFor bool                   // while parked: whether work of the process would do
	number    uint32                 // while parked: that of the wait word
	delivered arena.Ref[transaction] // the call that this read delivers
	overtaken int                    // how many more calls do without sendBeforeFree
	copies    Copies
	window    []byte // of the process that was sent to last
	windowOf  ProcID
	lastID    uint64 // of a transaction
	endID     uint64 // the last of the numbers that the thread took
	sent      uint32 // lastID, until the extended error was asked for
	spawnAt   uint64 // where BR_SPAWN_LOOPER goes, 0: nowhere

	// Room for what a call decodes, so that it need not allocate.
	bwr  abi.WriteRead
	back *[abi.SizeofWriteRead]byte // where bwr goes back to: arg, or the place itself
	tr   abi.TransactionDataSG
	in   input
	ret  returns

	argAt     uint64                    // where arg came from
	arg       [abi.SizeofWriteRead]byte // unless the task is near
	objects   [abi.SizeofBufferObject]byte
	out       mail
	installed []int32 // descriptors of the transaction that is being read
}

// thread is the caller thread with the key, made on its first call.
func (p *Proc) thread(tid int32) (*Thread, error) {
	if t, ok := p.threads.Load(tid); ok {
		p.recent.Store(t.(*Thread))
		return t.(*Thread), nil
	}
	t := &Thread{d: p.d, p: p, task: p.task(tid), proc: p.ref, key: tid}
	t.parker, _ = t.task.(Parker)
	t.near, _ = t.task.(Near)
	tx, err := p.d.member.Tx(tid)
	if err != nil {
		return nil, errno(err)
	}
	t.tx = tx
	if t.parker != nil {
		tx.SetWaker(t.parker)
	}
	if other, loaded := p.threads.LoadOrStore(tid, t); loaded {
		p.d.member.Release(tx)
		return other.(*Thread), nil
	}
	return t, nil
}

// acquire is the caller thread with the key, for the length of a call, which
// panics on faults.
func (p *Proc) acquire(tid int32) (*Thread, error) {
	for p.files.Load() > 0 {
		t := p.recent.Load()
		if t == nil || t.key != tid {
			var err error
			if t, err = p.thread(tid); err != nil {
				return nil, err
			}
		}
		t.mu.Lock()
		if !t.gone {
			t.faults = debug.SetPanicOnFault(true)
			return t, nil
		}
		t.mu.Unlock()
	}
	return nil, syscall.EBADF
}

// SetTerse says that the caller thread with the key reads on after each reply, and
// need not be told that the reply was sent (BR_TRANSACTION_COMPLETE). The errors are
// those of a first call.
func (p *Proc) SetTerse(tid int32) (err error) {
	t, err := p.acquire(tid)
	if err != nil {
		return err
	}
	defer t.finish(&err)
	t.terse = true
	return nil
}

// retire takes the caller thread out of the process. mu is held.
func (t *Thread) retire() {
	t.gone = true
	t.p.threads.CompareAndDelete(t.key, t)
	t.p.recent.CompareAndSwap(t, nil)
	t.d.member.Release(t.tx)
}

// enter begins a call, the first by making the thread's record.
func (t *Thread) enter() error {
	switch {
	case t.p.rec.dead:
		return syscall.EBADF
	case t.ref == 0:
		return t.join()
	}
	return nil
}

// join makes the thread's record.
func (t *Thread) join() error {
	t.lock()
	defer t.unlock()
	r, err := threads.New(t.tx)
	if err != nil {
		t.tx.Rollback()
		return errno(err)
	}
	th := r.Edit(t.tx)
	th.proc, th.rest.tid, th.needReturn = t.proc, t.key, true
	th.rest.extended.Command = uint32(abi.BR_OK)
	threadsByTID.Insert(t.tx, &t.p.rec.rest.edit(t.tx).threads, r)
	t.d.ctx.In(t.d.a).totals.Threads++
	t.ref, t.rec = r, r.In(t.d.a)
	t.ret.attach(&t.rec.stats)
	t.word.Store(&t.rec.wait)
	return nil
}

// lock takes the driver lock, if the thread does not have it.
func (t *Thread) lock() {
	if !t.locked {
		t.tx.Begin()
		t.locked = true
	}
}

// unlock commits and gives the driver lock back, if the thread has it.
func (t *Thread) unlock() {
	if t.locked {
		t.locked = false
		t.tx.End()
	}
}

// abandon is for errors that leave a half done change: it undoes it.
func (t *Thread) abandon() {
	if t.locked {
		t.tx.Rollback()
		t.unlock()
	}
}

// arm readies the thread to be woken: for its own work only, or for the
// process's too. It returns the number to wait on. The thread may be armed already.
func (t *Thread) arm(forProc bool) uint32 {
	if t.rec.armed && t.rec.idle == forProc {
		return t.rec.wait.Number()
	}
	th := t.ref.Edit(t.tx)
	th.armed = true
	if forProc {
		th.idle = true
		idleThreads.Push(t.tx, &t.proc.Edit(t.tx).waiting, t.ref)
	}
	return th.wait.Number()
}

// disarm undoes arm, however the wait ended.
func (t *Thread) disarm() {
	unidle(t.tx, t.ref)
	th := t.ref.Edit(t.tx)
	th.armed = false
}

// park is sleeping for a thread that does not: it says false if it was woken already.
func (t *Thread) park() bool {
	t.parker.Park(t, t.rec.wait.Word())
	return t.tx.Park(&t.rec.wait, t.number)
}

// await waits until the thread's number is no longer number, or the deadline
// has passed if there is one. It does not look whether a process died that
// should have woken it: see Rouse. The error is EINTR after a signal.
func (t *Thread) await(number uint32, deadline time.Time) error {
	w := &t.rec.wait
	if how := Wait(t.p.wait.Load()); how != WaitBlock {
		t.look(number, deadline, how == WaitSpin)
	}
	left := arena.Forever
	for w.Number() == number {
		if !deadline.IsZero() {
			if left = time.Until(deadline); left <= 0 {
				return nil
			}
		}
		if t.tx.Sleep(w, number, left) && w.Number() == number {
			return syscall.EINTR
		}
	}
	return nil
}

// look waits without sleeping, for AdaptiveSpin or for ever, as long as it is the
// thread's turn to look.
func (t *Thread) look(number uint32, deadline time.Time, forever bool) {
	var begun time.Time
	for {
		for range looks {
			if t.rec.wait.Number() != number {
				return
			}
		}
		switch {
		case !t.looksNext():
			return
		case forever && deadline.IsZero():
		case forever && time.Now().After(deadline):
			return
		case begun.IsZero():
			begun = time.Now()
		case !forever && time.Since(begun) > AdaptiveSpin:
			return
		}
	}
}

// looksNext says whether the thread waits for something of its own, or is the
// one of its process's idle threads that the next call goes to. The others
// sleep: looking, they would only keep that one from the CPU. It looks without the
// lock, at what it will look at again: see wantsLooper.
//
//go:norace
func (t *Thread) looksNext() bool {
	return !t.rec.idle || t.p.rec.waiting == t.ref
}

// hasWork says whether a read has something to return.
func (t *Thread) hasWork(forProc bool) bool {
	return t.rec.processTodo || t.rec.needReturn || t.hasMail() ||
		forProc && t.proc.In(t.d.a).todo.First != 0
}

// free says whether the thread has nothing of its own to do, so that it may
// take the process's work.
func (t *Thread) free() bool {
	return t.rec.stack == 0 && t.rec.todo.First == 0 && !t.rec.complete && t.rec.overflow == 0 && !t.hasMail()
}

// Poll is poll for POLLIN. It says whether the thread is readable, after
// waiting for that at most for timeout; below zero means without end.
func (p *Proc) Poll(tid int32, timeout time.Duration) (readable bool, err error) {
	t, err := p.acquire(tid)
	if err != nil {
		return false, err
	}
	err = errPanic
	defer t.finish(&err)
	if err := t.enter(); err != nil {
		return false, err
	}
	readable, polled := t.poll(timeout)
	t.unlock()
	return readable, polled
}

// poll returns with the lock held.
func (t *Thread) poll(timeout time.Duration) (readable bool, err error) {
	var deadline time.Time
	if timeout >= 0 {
		deadline = time.Now().Add(timeout)
	}
	for {
		t.lock()
		forProc := t.free()
		t.rec.rest.edit(t.tx).looper |= looperPoll
		if t.hasWork(forProc) {
			return true, nil
		}
		if timeout >= 0 && !time.Now().Before(deadline) {
			return false, nil
		}
		th := t.ref.Edit(t.tx)
		th.polling = true
		t.proc.Edit(t.tx).pollers++
		number := th.wait.Number()
		t.unlock()
		err := t.await(number, deadline)
		t.lock()
		t.ref.Edit(t.tx).polling = false
		t.proc.Edit(t.tx).pollers--
		if err != nil {
			return false, err
		}
	}
}

// exit is BINDER_THREAD_EXIT: the next call with the key makes a new thread.
func (t *Thread) exit() {
	t.lock()
	t.d.exitThread(t.tx, t.ref)
	t.ref, t.rec = 0, nil
	t.word.Store(nil)
	t.unlock()
	t.retire()
}

// exitThread takes a thread apart: who waits for it is told, what it waits for
// will find nobody.
func (d *Driver) exitThread(tx *arena.Tx, r arena.Ref[thread]) {
	for !d.exitStep(tx, r) {
		tx.Commit()
	}
}

// exitStep is one step of exitThread, found by what the thread still has, so that
// anybody can go on after a kill. It says whether it was the last.
func (d *Driver) exitStep(tx *arena.Tx, r arena.Ref[thread]) (last bool) {
	th := r.Edit(tx)
	switch {
	case !th.dead:
		th.dead = true
		unidle(tx, r)
		if th.polling {
			th.polling = false
			th.proc.Edit(tx).pollers--
		}
	case th.building != 0:
		d.abortBuild(tx, r, th.building)
	case th.rest.installing != 0:
		x := th.rest.installing
		th.rest.edit(tx).installing = 0
		d.dropTransaction(tx, x, abi.BR_DEAD_REPLY, true)
	case th.hasMail():
		d.dropMail(tx, r)
	case th.stack != 0:
		d.unstack(tx, r)
	case th.todo.First != 0:
		d.dropWork(tx, th.todo.First)
	default:
		if th.spare != 0 {
			transactions.Free(tx, th.spare)
			th.spare = 0
		}
		p := th.proc.In(d.a)
		p.stats.add(&th.stats)
		threadsByTID.Remove(tx, &p.rest.edit(tx).threads, r)
		d.freeThread(tx, r)
		return true
	}
	return false
}

// unstack takes the thread out of the topmost transaction that it takes part in.
// The sender of the call that it was serving gets BR_DEAD_REPLY. Calls further
// down wait for calls of its own; when those end, the error climbs to them.
func (d *Driver) unstack(tx *arena.Tx, r arena.Ref[thread]) {
	th := r.Edit(tx)
	x, top := th.stack, !th.leaving
	th.leaving = true
	t := x.Edit(tx)
	if t.toThread != r {
		th.stack = t.fromParent
		t.from = 0
		return
	}
	th.stack, t.buffer = t.toParent, 0
	t.toProc, t.toThread, t.toParent = 0, 0, 0
	if top {
		d.failReply(tx, x, abi.BR_DEAD_REPLY)
	}
}

// freeThread frees the record of a thread that is gone, unless a sender counts
// on it: that one frees it.
func (d *Driver) freeThread(tx *arena.Tx, r arena.Ref[thread]) {
	if th := r.In(d.a); th.dead && th.rest.pins == 0 {
		threads.Free(tx, r)
	}
}

package server

import (
	"cmp"
	"errors"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/daemon/wire"
	"ipcbench/ipc/binder/driver"
)

// thread is a thread of a client as its worker has it, which waits for the
// thread's calls and carries them out. A call that waits for work is parked, and
// the thread then has no worker; whoever brings the work ends the call, by wake.
type thread struct {
	p   *process
	tid int32

	page     wire.Page
	calls    wire.Bell
	answers  wire.Bell
	seen     uint32 // the request that was taken last
	answered uint32 // the answer that was given last

	state    callState
	polling  atomic.Bool   // the thread may be asleep in the driver
	visitors wire.Visitors // from outside, to kick
	// interrupted is the request that the client last wanted to end early.
	interrupted atomic.Uint32
	parked      *driver.Thread
	word        *atomic.Uint32
	// toWake are threads that the call under way has woken.
	toWake []*atomic.Uint32

	request  wire.Request
	answer   wire.Answer
	argument [wire.MaxArgument]byte
	commands [wire.MaxCommands]byte
	syscalls atomic.Uint64
	exits    bool // the call under way is the thread's last
	unread   int  // bytes of commands since the thread read anything
	gone     chan struct{}
}

// callState is who has the call under way, if there is one. Who makes it running
// has it.
type callState struct{ atomic.Uint32 }

const (
	idle    = iota
	running // somebody carries it out
	woken   // as running, and the driver has woken it since
	parked  // it waits for work
	handed  // there is work, or an interruption, for a worker to fetch
)

func (t *thread) closing() bool { return t.p.closing.Load() }

// serve waits for the thread's next call and carries it out. It returns the thread
// that is to be served next, nil if it knows of none, and whether this one is over.
func (t *thread) serve() (next *thread, over bool) {
	for {
		switch {
		case t.state.CompareAndSwap(handed, running):
			return t.settle(t.parked.Resume(t.interrupted.Load() == t.seen)), false
		case t.exits, t.closing():
			t.end()
			return nil, true
		case t.calls.Number() != t.seen:
			if err, ok := t.take(); ok {
				return t.settle(err), false
			}
			t.p.expel()
		default:
			t.wait()
		}
	}
}

// wait sleeps until a request comes or the thread is kicked.
func (t *thread) wait() {
	n, _ := t.calls.Wait(t.seen, t.p.s.options.RawWait, -1)
	t.syscalls.Add(uint64(n))
}

// take carries a request out. It says false if it is none: the client does not
// keep to the protocol.
func (t *thread) take() (err error, ok bool) {
	t.seen = t.calls.Number()
	t.page.Request(&t.request)
	t.answer = wire.Answer{Kind: wire.Done}
	t.state.Store(running)
	switch t.request.Kind {
	case wire.Ioctl:
		return t.ioctl()
	case wire.Poll:
		return t.poll(time.Duration(t.request.Argument)), true
	case wire.SetTerse:
		return t.p.proc.SetTerse(t.tid), true
	}
	t.state.Store(idle)
	return nil, false
}

func (t *thread) ioctl() (err error, ok bool) {
	r := &t.request
	if r.ArgumentLength > wire.MaxArgument || r.CommandsLength > wire.MaxCommands || r.ReturnsLength > wire.MaxReturns {
		t.state.Store(idle)
		return nil, false
	}
	copy(t.argument[:r.ArgumentLength], t.page.Argument())
	copy(t.commands[:r.CommandsLength], t.page.Commands())
	t.exits = abi.Ioctl(r.Command) == abi.BINDER_THREAD_EXIT
	return t.p.proc.Ioctl(t.tid, abi.Ioctl(r.Command), r.Argument), true
}

func (t *thread) poll(timeout time.Duration) error {
	t.polling.Store(true)
	ready, err := t.p.proc.Poll(t.tid, timeout)
	t.polling.Store(false)
	if ready {
		t.answer.Value = unix.POLLIN
	}
	return err
}

// settle ends a call, or parks it. The caller has it, and is to serve the thread that
// it gets, if it gets one: this one, or one whose call has ended with this.
//
// Others are woken after that: one that is quick, and runs on the same processor,
// may otherwise have an answer before this call is parked.
func (t *thread) settle(err error) (next *thread) {
	for err == driver.ErrParked {
		var room [4]*atomic.Uint32
		words, seen := append(room[:0], t.toWake...), t.seen
		t.toWake = t.toWake[:0]
		if t.state.CompareAndSwap(running, parked) {
			if t.interrupted.Load() == seen {
				t.interrupt(seen)
			}
			return t.wakeAll(words)
		}
		t.toWake = append(t.toWake, words...)
		t.state.Store(running)
		err = t.parked.Resume(false)
	}
	t.wakeOthers()
	if t.answer.To > 0 {
		t.unread = 0
	}
	t.answer.Errno = uint32(errnoOf(err))
	if t.exits {
		t.p.drop(t) // the key is free for another
	}
	t.state.Store(idle)
	t.ring()
	return t
}

func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	var e syscall.Errno // not a result: errors.As makes it escape, and answers without error would allocate it
	if !errors.As(err, &e) {
		return syscall.EIO
	}
	return e
}

// ring gives the client the answer and the account of what it cost, but for the
// call that wakes it: it counts that one itself.
func (t *thread) ring() {
	t.page.PutAnswer(&t.answer)
	account := t.account()
	t.page.PutAccount(&account)
	t.answered = wire.Next(t.answered)
	t.answers.Ring(t.answered)
}

func (t *thread) account() device.Account {
	c, calls := t.p.proc.Account(t.tid)
	return device.Account{PayloadFromUser: c.PayloadFromUser, HeaderFromUser: c.HeaderFromUser,
		HeaderToUser: c.HeaderToUser, Syscalls: calls + t.syscalls.Load()}
}

// Park implements driver.Parker.
func (t *thread) Park(d *driver.Thread, word *atomic.Uint32) {
	t.parked = d
	if t.word != word { // the first time: the driver's thread lives as long as this one
		t.word = word
		t.p.s.host.parked.Store(word, t)
	}
}

// Wake implements driver.Parker.
func (t *thread) Wake(word *atomic.Uint32, _ int) (calls int) {
	t.toWake = append(t.toWake, word)
	return 0
}

// wakeAll wakes the sleepers on all words. It returns the thread that the caller is
// to serve; further ones that are to be served have got workers.
func (t *thread) wakeAll(words []*atomic.Uint32) (next *thread) {
	for _, w := range words {
		ended, calls := t.p.s.host.wake(w, 1)
		t.syscalls.Add(uint64(calls))
		if next != nil && ended != nil {
			t.p.s.pool.assign(next, &t.syscalls)
		}
		next = cmp.Or(ended, next)
	}
	return next
}

// wakeOthers wakes those that the call has woken so far, and has others serve them.
// It comes before anything that may take long.
func (t *thread) wakeOthers() {
	if next := t.wakeAll(t.toWake); next != nil {
		t.p.s.pool.assign(next, &t.syscalls)
	}
	t.toWake = t.toWake[:0]
}

// wake is called when the driver has woken the thread. It says false if the thread
// may be asleep in a poll, and else returns the thread that the waker is to serve, if
// there is one. A waker must not wait for anybody, so it ends the call only if what
// the thread is to read lies in its mailbox, and goes to its page.
func (t *thread) wake() (next *thread, ok bool) {
	for {
		switch t.state.Load() {
		case parked:
			if !t.state.CompareAndSwap(parked, running) {
				continue
			}
			if !t.parked.HasMail() || !t.readsFromPage() {
				t.hand()
				return nil, true
			}
			return t.settle(t.parked.Resume(false)), true
		case running:
			if !t.state.CompareAndSwap(running, woken) {
				continue
			}
		}
		return nil, !t.polling.Load()
	}
}

// mailRoom is more than what a thread reads of its mailbox at once.
const mailRoom = 128

// readsFromPage says whether what the parked call reads of the mailbox, and its
// argument, go to the page: to write them to the client may take as long as the
// client likes.
func (t *thread) readsFromPage() bool {
	r := &t.request
	if r.ArgumentLength != abi.SizeofWriteRead {
		return false
	}
	var bwr abi.WriteRead
	bwr.Decode(t.argument[:])
	_, ok := within(bwr.ReadBuffer, mailRoom, r.Returns, r.ReturnsLength)
	return ok && bwr.ReadConsumed == 0
}

// interrupt ends the request early if it is parked, or as soon as it is.
func (t *thread) interrupt(request uint32) {
	t.interrupted.Store(request)
	if t.state.CompareAndSwap(parked, running) {
		t.hand()
	}
}

// hand leaves a call that was parked to a worker.
func (t *thread) hand() {
	t.state.Store(handed)
	t.p.s.pool.assign(t, &t.syscalls)
}

// kick has the thread's worker look up.
func (t *thread) kick() {
	if t.visitors.Enter() {
		defer t.visitors.Leave()
		t.calls.Kick()
	}
}

// end lets go of the page, once nobody from outside can be at it any more.
func (t *thread) end() {
	if t.word != nil {
		t.p.s.host.parked.CompareAndDelete(t.word, t)
	}
	t.visitors.Close()
	t.p.drop(t)
	_ = unix.Munmap(t.page)
	close(t.gone)
}

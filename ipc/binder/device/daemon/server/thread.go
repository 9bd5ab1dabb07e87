package server

import (
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

// thread serves one thread of a client. It waits for the thread's calls and
// carries them out. A call that waits for work is parked; whoever brings the work
// ends it, by wake.
type thread struct {
	p     *process
	tid   int32
	terse bool

	page     wire.Page
	calls    wire.Bell
	answers  wire.Bell
	seen     uint32 // the request that was taken last
	answered uint32 // the answer that was given last

	state    callState
	polling  atomic.Bool   // the thread may be asleep in the driver
	visitors wire.Visitors // wakers
	parked   *driver.Thread
	word     *atomic.Uint32
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
	handed  // there is work that only the thread's own goroutine can fetch
)

func (t *thread) closing() bool { return t.p.closing.Load() }

// serve is the thread's goroutine.
func (t *thread) serve() {
	defer t.end()
	for {
		switch {
		case t.state.CompareAndSwap(handed, running):
			t.settle(t.parked.Resume(false))
		case t.calls.Number() != t.seen:
			t.take()
		case t.page.Interrupted() == t.seen && t.state.Load() == parked:
			if t.state.CompareAndSwap(parked, running) {
				t.settle(t.parked.Resume(true))
			}
		case t.closing() && t.state.Load() == idle:
			return
		default:
			t.wait()
			continue
		}
		if t.exits && t.state.Load() == idle {
			return
		}
	}
}

// expel ends the client's connection: it does not keep to the protocol.
func (t *thread) expel() {
	t.state.CompareAndSwap(running, idle)
	t.p.expel()
}

// wait sleeps until a request comes or the thread is kicked.
func (t *thread) wait() {
	n, _ := t.calls.Wait(t.seen, t.p.s.options.RawWait, -1)
	t.syscalls.Add(uint64(n))
}

// take carries a request out.
func (t *thread) take() {
	t.seen = t.calls.Number()
	if t.closing() {
		return
	}
	if !t.state.CompareAndSwap(idle, running) {
		t.p.expel() // one call at a time
		return
	}
	t.page.Request(&t.request)
	r := &t.request
	t.answer = wire.Answer{Kind: wire.Done}
	switch r.Kind {
	case wire.Ioctl:
		if r.ArgumentLength > wire.MaxArgument || r.CommandsLength > wire.MaxCommands || r.ReturnsLength > wire.MaxReturns {
			t.expel()
			return
		}
		copy(t.argument[:r.ArgumentLength], t.page.Argument())
		copy(t.commands[:r.CommandsLength], t.page.Commands())
		t.exits = abi.Ioctl(r.Command) == abi.BINDER_THREAD_EXIT
		t.settle(t.p.proc.Ioctl(t.tid, abi.Ioctl(r.Command), r.Argument))
	case wire.Poll:
		t.polling.Store(true)
		ready, err := t.p.proc.Poll(t.tid, time.Duration(r.Argument))
		t.polling.Store(false)
		if ready {
			t.answer.Value = unix.POLLIN
		}
		t.settle(err)
	default:
		t.expel()
	}
}

// settle ends a call, or parks it. The caller has it.
//
// Others are woken after that: one that is quick, and runs on the same processor,
// may otherwise have an answer before this call is parked, which would then have
// to wait for its turn to be scheduled again.
func (t *thread) settle(err error) {
	for err == driver.ErrParked {
		woken := t.toWake
		t.toWake = nil
		if t.state.CompareAndSwap(running, parked) {
			t.syscalls.Add(uint64(t.p.s.host.wakeAll(woken)))
			return
		}
		t.toWake = woken
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
}

func errnoOf(err error) (e syscall.Errno) {
	if err != nil && !errors.As(err, &e) {
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
	if t.word != word {
		if t.word != nil {
			t.p.s.host.parked.CompareAndDelete(t.word, t)
		}
		t.word = word
	}
	if other, _ := t.p.s.host.parked.Load(word); other != t {
		t.p.s.host.parked.Store(word, t)
	}
}

// Terse implements driver.Parker.
func (t *thread) Terse() bool { return t.terse }

// Wake implements driver.Parker.
func (t *thread) Wake(word *atomic.Uint32, _ int) (calls int) {
	t.toWake = append(t.toWake, word)
	return 0
}

// wakeOthers wakes those that the call has woken so far. It comes before anything
// that may take long.
func (t *thread) wakeOthers() {
	t.syscalls.Add(uint64(t.p.s.host.wakeAll(t.toWake)))
	t.toWake = t.toWake[:0]
}

// wake is called when the driver has woken the thread. It says false if the thread
// may be asleep in a poll. A waker must not wait for anybody, so it ends the call
// only if what the thread is to read lies in its mailbox.
func (t *thread) wake() bool {
	if !t.visitors.Enter() {
		return true
	}
	defer t.visitors.Leave()
	for {
		switch s := t.state.Load(); s {
		case parked:
			if !t.state.CompareAndSwap(parked, running) {
				continue
			}
			if t.parked.HasMail() {
				t.settle(t.parked.Resume(false))
			} else {
				t.hand()
			}
			return true
		case running:
			if !t.state.CompareAndSwap(running, woken) {
				continue
			}
		}
		return !t.polling.Load()
	}
}

// hand leaves the call to the thread's goroutine. Calls are counted before they
// are made, because the goroutine may tell its account at once.
func (t *thread) hand() {
	t.syscalls.Add(1)
	t.state.Store(handed)
	t.calls.Kick()
}

// kick has the thread's goroutine look up.
func (t *thread) kick() {
	if t.visitors.Enter() {
		defer t.visitors.Leave()
		t.calls.Kick()
	}
}

// end lets go of the page, once no waker can be at it any more.
func (t *thread) end() {
	if t.word != nil {
		t.p.s.host.parked.CompareAndDelete(t.word, t)
	}
	t.visitors.Close()
	t.p.drop(t)
	_ = unix.Munmap(t.page)
	close(t.gone)
}

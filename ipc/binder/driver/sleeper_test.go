package driver

import (
	"iter"
	"slices"
	"sync/atomic"
	"syscall"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

// coroutine is a program that a peer runs and that may sleep: it goes on when the
// peer was woken, and not before.
type coroutine struct {
	yield func() // sleep
	next  func() // go on
	over  bool   // the program has ended
}

// sleepers are the peers of a world that sleep in their programs. The order of what
// happens is the test's to choose.
type sleepers struct {
	on    map[*atomic.Uint32]*peer // which word
	woken []*peer                  // who goes on next
	wakes int                      // how many were woken
	quick uint                     // bit n: who is woken after n others runs before its waker goes on
}

// run begins a program, and returns when it sleeps or is over, or the peer has died
// in it.
func (p *peer) run(program func()) {
	p.p.SetNonblock(false)
	next, _ := iter.Pull(func(yield func(struct{}) bool) {
		p.co.yield = func() { yield(struct{}{}) }
		p.w.dead[p.pid] = p.dies(program)
		p.co.yield, p.co.over = nil, true
	})
	p.co.over = false
	p.co.next = func() { next() }
	p.co.next()
}

// sleepOn has the peer that runs sleep on a word. It may die there.
func (p *peer) sleepOn(word *atomic.Uint32) {
	p.w.sleep.on[word] = p
	if p.step != nil {
		p.step(arena.StepOutside)
	}
	p.co.yield()
}

// wake has who sleeps on a word go on: at once, or when settle comes to it. Nobody
// goes on while the one who wakes it holds the lock.
func (w *world) wake(word *atomic.Uint32) {
	s := &w.sleep
	p := s.on[word]
	if p == nil {
		return
	}
	delete(s.on, word)
	if w.dead[p.pid] {
		return
	}
	quick := s.quick>>s.wakes&1 != 0
	s.wakes++
	if pid, _ := p.d.a.Holder(); pid == 0 && quick {
		p.co.next()
		return
	}
	s.woken = append(s.woken, p)
}

// settle lets those who were woken go on until all sleep or are done.
func (w *world) settle() {
	for s := &w.sleep; len(s.woken) > 0; {
		p := s.woken[0]
		s.woken = s.woken[1:]
		p.co.next()
	}
}

// manner is how a peer talks.
type manner struct {
	terse bool // it is not told that its replies were sent
	apart bool // it reads in another call than it writes, which has room bytes to read into
	room  int
	flags abi.TransactionFlags
}

// converse writes commands, those behind one that failed when that was read, and
// reads until one of some codes comes, which it returns, or nothing: 0.
func (p *peer) converse(m manner, commands []byte, until ...abi.Return) (came abi.Return) {
	const enough = 256
	room := enough
	if m.apart {
		room = m.room
	}
	for came == 0 || len(commands) > 0 {
		if came != 0 {
			room = 0
		}
		err := p.call(commands, room)
		if tooSmall := 0 < room && room < 4; err != nil && !(tooSmall && err == syscall.EFAULT) {
			p.w.t.Errorf("peer %d: %v", p.pid, err)
			return 0
		}
		if p.thread().rec.armed {
			p.w.t.Errorf("peer %d is armed after its call", p.pid)
		}
		if room == enough && len(p.codes) == 0 {
			return 0
		}
		commands, room = commands[p.wrote:], enough
		if i := slices.IndexFunc(p.codes, func(c abi.Return) bool { return slices.Contains(until, c) }); i >= 0 {
			came = p.codes[i]
		}
	}
	return came
}

// message encodes a call or a reply with a code, and that its sender frees what it
// has read last.
func (p *peer) message(buf []byte, cmd abi.Command, m manner, code uint32) []byte {
	e := abi.NewEncoder[abi.Command](buf)
	e.Transaction(cmd, &abi.TransactionData{Code: code, Flags: m.flags, DataSize: 8, Buffer: atPayload})
	if p.tr.Buffer != 0 {
		e.Uint64(abi.BC_FREE_BUFFER, p.tr.Buffer)
	}
	return e.Bytes()
}

// calls makes n calls to the context manager, in each of which it frees the reply to
// the one before, until one fails.
func (p *peer) calls(n uint32, m manner) {
	var buf [256]byte
	for code := uint32(1); code <= n; code++ {
		switch p.converse(m, p.message(buf[:], abi.BC_TRANSACTION, m, code), abi.BR_REPLY, abi.BR_DEAD_REPLY) {
		case abi.BR_REPLY:
		case abi.BR_DEAD_REPLY:
			return
		default:
			p.w.t.Errorf("peer %d is told nothing of its call", p.pid)
			return
		}
		if p.tr.Code != code {
			p.w.t.Errorf("call %d gets reply %d", code, p.tr.Code)
		}
	}
	_ = p.free()
}

// serves answers calls, and frees each with its answer, until it is sent home.
func (p *peer) serves(m manner) {
	if m.terse {
		_ = p.p.SetTerse(p.pid)
	}
	var buf [256]byte
	commands := buf[:0]
	for p.converse(m, commands, abi.BR_TRANSACTION) != 0 {
		commands = p.message(buf[:], abi.BC_REPLY, m, p.tr.Code)
	}
}

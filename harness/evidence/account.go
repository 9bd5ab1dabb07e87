package evidence

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Maker is whom a system call is put down to.
type Maker uint8

const (
	// Transport: all that is not known to be somebody else's.
	Transport Maker = iota
	// Runtime: the Go runtime's own.
	Runtime
	// Control: on a control descriptor of the harness.
	Control
)

// String is the maker's name.
func (m Maker) String() string { return [...]string{"transport", "runtime", "control"}[m] }

// Entry is one line of an account: the calls of one kind, on one object, in one
// process.
type Entry struct {
	PID   int
	Maker Maker
	// Call is the system call's name, or "syscall_N".
	Call string
	// Object is the descriptor or id that the call worked on, or -1.
	Object int64
}

// Sum is what an entry came to.
type Sum struct {
	// Calls that returned to the program, and how many of them found
	// nothing to move (EAGAIN).
	Calls, WouldBlock uint64
	// Restarted calls were interrupted by a signal and began anew without
	// the program's knowledge; they are not among Calls.
	Restarted uint64
	// Bytes moved.
	Bytes uint64
}

// Account is what the threads of a pass called.
type Account struct {
	Entries map[Entry]Sum
	// WholeProcess says that all threads of a process were followed, and not
	// only those that a transport has for itself.
	WholeProcess bool

	// wakers caches which descriptors the Go runtime wakes its poller by.
	wakers map[descriptor]bool
}

type descriptor struct {
	pid int
	fd  int64
}

func newAccount(targets []Target) *Account {
	return &Account{
		Entries:      make(map[Entry]Sum),
		WholeProcess: slices.ContainsFunc(targets, func(t Target) bool { return len(t.Threads) == 0 }),
		wakers:       make(map[descriptor]bool),
	}
}

func (a *Account) add(target Target, calls []done) {
	for _, d := range calls {
		e := Entry{PID: target.PID, Maker: a.maker(target, d), Call: lookup(d.nr).name, Object: d.object()}
		s := a.Entries[e]
		if d.restarted() {
			s.Restarted++
		} else {
			s.Calls++
			s.Bytes += d.bytes()
		}
		if d.wouldBlock() {
			s.WouldBlock++
		}
		a.Entries[e] = s
	}
}

func (a *Account) maker(target Target, d done) Maker {
	switch {
	case isRuntimes(d.nr, d.args), a.wakesPoller(target.PID, d):
		return Runtime
	case lookup(d.nr).way != nothing && slices.Contains(target.Control, int(d.object())):
		return Control
	}
	return Transport
}

// wakesPoller reports a read or write of the eventfd by which a thread of the Go
// runtime gets another out of epoll_pwait.
func (a *Account) wakesPoller(pid int, d done) bool {
	if d.nr != unix.SYS_READ && d.nr != unix.SYS_WRITE {
		return false
	}
	key := descriptor{pid, d.object()}
	waker, known := a.wakers[key]
	if !known {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, strconv.FormatInt(key.fd, 10)))
		waker = err == nil && link == "anon_inode:[eventfd]"
		a.wakers[key] = waker
	}
	return waker
}

// sum adds up the entries that pick chooses.
func (a *Account) sum(pick func(Entry) bool) (total Sum) {
	for e, s := range a.Entries {
		if pick(e) {
			total.Calls += s.Calls
			total.WouldBlock += s.WouldBlock
			total.Restarted += s.Restarted
			total.Bytes += s.Bytes
		}
	}
	return total
}

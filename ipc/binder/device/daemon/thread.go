package daemon

import (
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/daemon/wire"
)

// thread is a thread of this process as it calls the daemon.
type thread struct {
	*open
	key int32

	mu       sync.Mutex // a key that two goroutines use at once is served one by one
	page     wire.Page  // nil when the thread has ended
	calls    wire.Bell
	answers  wire.Bell
	asked    uint32 // the request that was made last
	seen     uint32 // the answer that was read last
	request  wire.Request
	answer   wire.Answer
	bwr      abi.WriteRead
	told     device.Account // what the daemon did, as of the last answer
	syscalls uint64
	visitors wire.Visitors // who watches the daemon
}

// ioctl has the daemon carry an ioctl out. What the command points to goes along
// in the page as far as there is room; what cannot be read here the daemon will
// not be able to read either, and answers accordingly.
func (t *thread) ioctl(cmd uint32, arg uintptr) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.page == nil {
		return unix.EBADF
	}
	t.request = wire.Request{Kind: wire.Ioctl, Command: cmd, Argument: uint64(arg)}
	t.stage(abi.Ioctl(cmd), arg)
	if err := t.call(); err != nil {
		return err
	}
	err := t.deliver(arg)
	if abi.Ioctl(cmd) == abi.BINDER_THREAD_EXIT && t.answer.Errno == 0 {
		t.leave()
	}
	if err == nil && t.answer.Errno != 0 {
		err = syscall.Errno(t.answer.Errno)
	}
	return err
}

// stage copies what the daemon would have to fetch.
func (t *thread) stage(cmd abi.Ioctl, arg uintptr) {
	r := &t.request
	size := cmd.Size()
	if size > wire.MaxArgument || sys.CopyIn(t.page.Argument()[:size], arg) != nil {
		return
	}
	r.ArgumentLength = uint32(size)
	if cmd != abi.BINDER_WRITE_READ {
		return
	}
	bwr := &t.bwr
	bwr.Decode(t.page.Argument())
	r.Returns, r.ReturnsLength = bwr.ReadBuffer, uint32(min(bwr.ReadSize, wire.MaxReturns))
	if bwr.WriteSize > bwr.WriteConsumed {
		n := min(bwr.WriteSize-bwr.WriteConsumed, wire.MaxCommands)
		at := bwr.WriteBuffer + bwr.WriteConsumed
		if sys.CopyIn(t.page.Commands()[:n], uintptr(at)) == nil {
			r.Commands, r.CommandsLength = at, uint32(n)
		}
	}
}

// deliver copies what came back to where it belongs.
func (t *thread) deliver(arg uintptr) error {
	a := &t.answer
	if a.To > a.From && a.To <= t.request.ReturnsLength {
		if err := sys.CopyOut(uintptr(t.request.Returns)+uintptr(a.From), t.page.Returns()[a.From:a.To]); err != nil {
			return err
		}
	}
	if a.Argument > 0 && a.Argument <= t.request.ArgumentLength {
		return sys.CopyOut(arg, t.page.Argument()[:a.Argument])
	}
	return nil
}

func (t *thread) poll(timeout time.Duration) (int16, error) {
	events, err := t.ask(wire.Request{Kind: wire.Poll, Argument: uint64(timeout)})
	return int16(events), err
}

// ask makes a request that points to nothing, and returns the answer's value.
func (t *thread) ask(r wire.Request) (value uint64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.page == nil {
		return 0, unix.EBADF
	}
	t.request = r
	if err := t.call(); err != nil {
		return 0, err
	}
	if t.answer.Errno != 0 {
		return 0, syscall.Errno(t.answer.Errno)
	}
	return t.answer.Value, nil
}

// call makes the request and waits for the end of the call, doing meanwhile what
// the daemon asks for. The error is ErrGone.
func (t *thread) call() error {
	t.ring()
	for {
		if err := t.await(); err != nil {
			return err
		}
		var answer uint64
		switch t.answer.Kind {
		case wire.TakeFile:
			answer = uint64(uint32(t.takeFile()))
		case wire.CloseFile:
			_ = unix.Close(int(int32(t.answer.Value)))
		default:
			return nil
		}
		r := t.request
		t.request = wire.Request{Kind: wire.Answered, Argument: answer}
		t.ring()
		t.request = r
	}
}

func (t *thread) ring() {
	t.page.PutRequest(&t.request)
	t.asked = wire.Next(t.asked)
	t.syscalls += uint64(t.calls.Ring(t.asked))
}

// patience is how long a wait through the Go scheduler lasts at a time: a signal ends
// only a wait with a limit, for the kernel takes any other up again by itself. A raw
// one has none, because a timer costs each call some tenths of a microsecond; the
// scheduler's signals interrupt it nevertheless, and end no call.
const patience = time.Hour

// await waits for an answer. A signal ends the call, if it waits for work. If the
// thread slept, the daemon made a call to wake it: that stands in no account that
// came with the answer.
func (t *thread) await() error {
	slept, limit := false, patience
	if t.raw {
		limit = -1
	}
	for t.answers.Number() == t.seen {
		if t.gone.Load() {
			return ErrGone
		}
		calls, interrupted := t.answers.Wait(t.seen, t.raw, limit)
		t.syscalls += uint64(calls)
		slept = slept || calls > 0
		if interrupted && !t.raw && t.answers.Number() == t.seen {
			t.interrupt()
		}
	}
	if slept {
		t.syscalls++
	}
	t.seen = t.answers.Number()
	t.page.Answer(&t.answer)
	t.page.Account(&t.told)
	return nil
}

// interrupt asks the daemon to end the call under way. If the daemon is gone, await
// finds out.
func (t *thread) interrupt() {
	t.syscalls += 2
	_, _, _ = t.connection.ask(wire.Message{Operation: wire.Interrupt, A: uint64(uint32(t.key)), B: uint64(t.asked)}, false)
}

// takeFile receives the descriptor that the daemon has sent: -1 if there is no
// room for it.
func (t *thread) takeFile() int32 {
	t.post.Lock()
	defer t.post.Unlock()
	var b [1]byte
	_, fd, err := receiveFile(t.posts, b[:])
	if err != nil {
		return -1
	}
	return int32(fd)
}

func (t *thread) account() device.Account {
	a := t.told
	a.Syscalls += t.syscalls
	return a
}

// kick has the thread look whether the daemon is gone.
func (t *thread) kick() {
	if t.visitors.Enter() {
		defer t.visitors.Leave()
		t.answers.Kick()
	}
}

// end waits for the call under way and lets go of the page.
func (t *thread) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leave()
}

// leave lets go of the page; mu is held.
func (t *thread) leave() {
	if t.page == nil {
		return
	}
	t.threads.CompareAndDelete(t.key, t)
	t.recent.CompareAndSwap(t, nil)
	t.visitors.Close()
	_ = unix.Munmap(t.page)
	t.page = nil
}

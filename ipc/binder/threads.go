package binder

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// threads are the IPCThreadStates of a process by their OS thread. A state is
// held while a looper, Attach or a call has it; one that nobody holds is kept
// for the next goroutine that comes along on the same OS thread.
type threads struct {
	mu    sync.RWMutex
	byKey map[int32]*IPCThreadState

	// callers has a token for each goroutine outside the pool that calls.
	callers chan struct{}
	// left is signalled when a call ends while the process is closing.
	left sync.Cond
}

// Attach locks the calling goroutine to its OS thread, whose IPCThreadState it
// returns, for goroutines that make many calls: those through the state's own
// methods need no look-up. Detach must follow, on the same goroutine.
func (ps *ProcessState) Attach() (*IPCThreadState, error) {
	runtime.LockOSThread()
	t, err := ps.hold(int32(unix.Gettid()))
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	return t, nil
}

// Detach undoes an Attach.
func (t *IPCThreadState) Detach() {
	t.attached--
	if t.attached == 0 {
		t.ps.drop(t)
	}
	runtime.UnlockOSThread()
}

// hold takes the state of the calling thread, whose key it is told, and makes
// one if there is none.
func (ps *ProcessState) hold(key int32) (*IPCThreadState, error) {
	if t := ps.threads.heldBy(key); t != nil {
		t.attached++
		return t, nil
	}
	ps.threads.mu.Lock()
	defer ps.threads.mu.Unlock()
	if ps.closing.Load() {
		return nil, ErrClosed
	}
	t := ps.threads.byKey[key]
	if t == nil {
		var err error
		if t, err = newThread(ps, key); err != nil {
			return nil, err
		}
		ps.threads.byKey[key] = t
	}
	t.held, t.attached = true, 1
	return t, nil
}

// heldBy is the state of the calling thread if somebody up its own stack holds
// it.
func (s *threads) heldBy(key int32) *IPCThreadState {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.byKey[key]; t != nil && t.held {
		return t
	}
	return nil
}

// keptThreads is how many states a process keeps for each goroutine that may call
// at once. Goroutines move between OS threads, and take a state up on whichever
// they are: with too few, states come and go with each call.
const keptThreads = 3

// drop lets go of a state that hold returned. It is kept unless there are too
// many; then it leaves the driver, and so does a looper.
func (ps *ProcessState) drop(t *IPCThreadState) {
	if t.begin() == nil {
		t.freeReply()
		t.flush()
		t.end()
	}
	if ps.keep(t) {
		return
	}
	t.exit()
	ps.threads.mu.Lock()
	defer ps.threads.mu.Unlock()
	delete(ps.threads.byKey, t.key)
	t.free()
}

func (ps *ProcessState) keep(t *IPCThreadState) bool {
	ps.threads.mu.Lock()
	defer ps.threads.mu.Unlock()
	if t.pool || ps.closing.Load() || len(ps.threads.byKey) > keptThreads*cap(ps.threads.callers) {
		return false
	}
	t.held = false
	return true
}

// exit tells the driver that the thread is gone. Close waits for loopers; it
// spares others the way.
func (t *IPCThreadState) exit() {
	if !t.pool {
		if t.begin() != nil {
			return
		}
		defer t.end()
	}
	t.ioctl(abi.BINDER_THREAD_EXIT, 4)
}

// call runs f, which makes a call, on the calling thread.
func (ps *ProcessState) call(f func(*IPCThreadState) error) error {
	t, err := ps.enter()
	if err != nil {
		return err
	}
	defer ps.leave(t)
	return f(t)
}

// enter takes the calling thread for one call. A goroutine that has a thread
// already, a handler above all, goes on with that; others wait until there is
// room for a caller.
func (ps *ProcessState) enter() (*IPCThreadState, error) {
	runtime.LockOSThread()
	if t := ps.threads.heldBy(int32(unix.Gettid())); t != nil {
		t.attached++
		return t, nil
	}
	runtime.UnlockOSThread()
	ps.threads.callers <- struct{}{}
	t, err := ps.Attach()
	if err != nil {
		<-ps.threads.callers
		return nil, err
	}
	t.caller = true
	return t, nil
}

// leave undoes enter.
func (ps *ProcessState) leave(t *IPCThreadState) {
	caller := t.caller && t.attached == 1
	if caller {
		t.caller = false
	}
	t.Detach()
	if caller {
		<-ps.threads.callers
	}
}

// do runs f, which only writes to the driver and so never blocks there, on the
// calling thread.
func (ps *ProcessState) do(f func(*IPCThreadState) error) error {
	t, err := ps.Attach()
	if err != nil {
		return err
	}
	defer t.Detach()
	if err := t.begin(); err != nil {
		return err
	}
	defer t.end()
	return f(t)
}

// begin marks the thread as inside a call, which Close waits for.
func (t *IPCThreadState) begin() error {
	t.inside++
	if t.inside == 1 {
		t.busy.Store(true)
	}
	if t.ps.closing.Load() {
		t.end()
		return ErrClosed
	}
	return nil
}

// end undoes begin.
func (t *IPCThreadState) end() {
	t.inside--
	if t.inside > 0 {
		return
	}
	t.busy.Store(false)
	if s := &t.ps.threads; t.ps.closing.Load() {
		s.mu.Lock()
		s.left.Broadcast()
		s.mu.Unlock()
	}
}

// wait returns when no thread is inside a call any more.
func (s *threads) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.anyBusy() {
		s.left.Wait()
	}
}

func (s *threads) anyBusy() bool {
	for _, t := range s.byKey {
		if t.busy.Load() {
			return true
		}
	}
	return false
}

// discard frees all states when no call can begin any more: those that Attach
// holds are of no more use.
func (s *threads) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, t := range s.byKey {
		t.free()
		delete(s.byKey, key)
	}
}

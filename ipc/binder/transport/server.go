package transport

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/servicemanager"
	"ipcbench/ipc/copies"
)

type server struct {
	transport *transport
	cfg       ipc.Config
	ps        process
	lifelines []*ipc.Lifeline
	ending    ipc.Ending
	// backlogs of the clients. So many of the pool's threads wait for them, at most
	// as many as can be spared while the others work them off, and not when the
	// session is broken off.
	backlogs [maxClients]backlog
	waiting  atomic.Int32
	spare    int32
	broken   atomic.Bool

	mu      sync.Mutex
	session *session
	threads []*thread
	started bool
}

// session is one Serve.
type session struct {
	service ipc.Service
	clients int
	stopped int
	over    chan error
}

// thread is a looper as its handler sees it; it stays the same from session to
// session.
type thread struct {
	server  *server
	state   *binder.IPCThreadState
	buffers ipc.Buffers
	account account
	handler ipc.Handler
	// fresh: it has had no call in this session; unmarked: it has had one since the
	// last mark.
	fresh, unmarked bool
	// private is where carriers put what they copy.
	private []byte
}

// Listen implements ipc.Transport.
func (t *transport) Listen(cfg ipc.Config, h ipc.Handover) (ipc.Server, error) {
	if len(h.Files) != cfg.Clients {
		h.Close()
		return nil, t.wrap(fmt.Errorf("a handover of %d files for %d clients", len(h.Files), cfg.Clients))
	}
	more := moreLoopers(cfg.Wait)
	s := &server{transport: t, cfg: cfg, spare: int32(more)}
	ps, err := t.join(cfg, string(h.Data), binder.WithLooperHooks(s.begin, s.done), binder.WithMaxThreads(more))
	if err != nil {
		h.Close()
		return nil, t.wrap(err)
	}
	s.ps = ps
	for _, f := range h.Files {
		s.lifelines = append(s.lifelines, ipc.Watch(f, func() {
			s.ending.PeerGone()
			s.end(ipc.ErrPeerGone)
		}))
	}
	if err := s.register(); err != nil {
		s.Close()
		return nil, t.wrap(err)
	}
	return s, nil
}

// moreLoopers is how many may be asked for beside the first: fifteen, as of a service
// that starts its thread pool. Loopers that look for work rather than sleep take a CPU
// each, so there are no more of them than CPUs: a second one on a CPU would
// only keep the first from the call that one has got.
func moreLoopers(w ipc.Wait) int {
	if w == ipc.Block {
		return binder.DefaultMaxThreads
	}
	return runtime.NumCPU() - 1
}

func (s *server) register() error {
	if err := s.ps.Suspend(); err != nil {
		return err
	}
	sm, err := servicemanager.Connect(s.ps.ProcessState)
	if err != nil {
		return err
	}
	defer sm.Close()
	return sm.AddService(serviceName, s.transport.carrier.object(s))
}

// Serve implements ipc.Server. The pool's threads serve as long as it runs, and
// wait outside the driver between two runs.
func (s *server) Serve(service ipc.Service) error {
	over := make(chan error, 1)
	if err := s.start(&session{service: service, clients: s.cfg.Clients, over: over}); err != nil {
		return s.transport.wrap(err)
	}
	err := <-over
	if suspendErr := s.ps.Suspend(); err == nil {
		err = suspendErr
	}
	return s.transport.wrap(err)
}

func (s *server) start(ses *session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ending.Err(); err != nil {
		return err
	}
	s.session = ses
	s.broken.Store(false)
	if !s.started {
		s.started = true
		if err := s.ps.StartThreadPool(); err != nil {
			return err
		}
	}
	s.ps.Resume()
	return nil
}

// end ends the session, if there is one, once.
func (s *server) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endLocked(err)
}

func (s *server) endLocked(err error) {
	if err != nil {
		s.broken.Store(true)
		for i := range s.backlogs {
			s.backlogs[i].interrupt()
		}
	}
	if s.session != nil {
		s.session.over <- err
		s.session = nil
	}
}

// stop counts a client that has stopped.
func (s *server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return
	}
	if s.session.stopped++; s.session.stopped == s.session.clients {
		s.endLocked(nil)
	}
}

// begin is a looper's way into a session.
func (s *server) begin(state *binder.IPCThreadState) {
	th, service := s.thread(state)
	th.account.begin(state)
	if service == nil {
		return
	}
	h, err := service.NewHandler(th)
	if err != nil {
		s.end(fmt.Errorf("start a serving thread: %w", err))
		return
	}
	th.handler, th.fresh = h, true
}

func (s *server) thread(state *binder.IPCThreadState) (*thread, ipc.Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	th, ok := state.Local.(*thread)
	if !ok {
		th = &thread{server: s, state: state, account: newAccount(copies.Reply, s.transport),
			buffers: ipc.Buffers{HugePages: s.cfg.HugePages}}
		state.Local = th
		s.threads = append(s.threads, th)
	}
	if s.session == nil {
		return th, nil
	}
	return th, s.session.service
}

// done is a looper's way out of a session, if it had not ended before the looper came:
// then its ledger is still that of the session before.
func (s *server) done(state *binder.IPCThreadState) {
	th := state.Local.(*thread)
	if th.handler == nil {
		return
	}
	th.mark() // its last call may have been no client's last
	th.account.settle(state)
	th.handler.Done()
	th.handler = nil
}

// handle serves one call; its reply lies in the handler's buffer.
func (th *thread) handle(call *binder.Call, request []byte) ([]byte, error) {
	k, client, sent := parts(call.Code)
	switch {
	case k == kindStop:
		th.mark()
		th.server.stop()
		return nil, nil
	case k == kindDrain:
		th.mark()
		return nil, th.drain(client, sent)
	case th.handler == nil || k != kindCall || len(request) > th.server.cfg.MaxRequest:
		return nil, binder.BadValue
	}
	th.operate()
	th.account.ledger.Delivered(len(request))
	reply := th.handler.Handle(request, call.OneWay())
	if call.OneWay() {
		th.account.ledger.Syscalls(th.server.backlogs[client].done())
		return nil, nil
	}
	th.account.sent(reply.Len(), 0)
	return reply.Bytes(), nil
}

// drain waits until a client's one-way calls were handled. It is WouldBlock where no
// thread can be spared for waiting.
func (th *thread) drain(client int, sent uint32) error {
	s := th.server
	b := &s.backlogs[client]
	if b.reached(sent) {
		return nil
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > s.spare || s.cfg.Wait != ipc.Block {
		return binder.WouldBlock
	}
	wait := func(w *atomic.Uint32, seen uint32) error { return sys.RawFutexWait(w, seen, -1) }
	if s.transport.info.RuntimeSafe {
		wait = func(w *atomic.Uint32, seen uint32) error { return sys.FutexWait(w, seen, -1) }
	}
	th.account.ledger.Syscalls(b.await(sent, wait, &s.broken))
	return nil
}

// operate is called with each call. A reply goes out with the read of the next
// call, so what lies between two calls is one operation, half of this one and half of
// the one before; only what comes before the first, which has no reply in it, is none.
func (th *thread) operate() {
	if th.fresh {
		th.account.exclude(th.state)
		th.fresh = false
	}
	th.unmarked = true
}

// mark says that the operations so far have ended, if there were any since the last
// mark.
func (th *thread) mark() {
	if th.unmarked {
		th.account.mark(th.state)
		th.unmarked = false
	}
}

// Buffer implements ipc.Thread.
func (th *thread) Buffer(n int) (*ipc.Buffer, error) { return th.buffers.Buffer(n) }

// Ledger implements ipc.Thread. What the driver counted is in it after a session.
func (th *thread) Ledger() *copies.Ledger { return th.account.ledger }

// Close implements ipc.Server.
func (s *server) Close() error {
	if !s.ending.Close() {
		return nil
	}
	s.end(ipc.ErrClosed)
	err := s.ps.Close()
	for _, l := range s.lifelines {
		l.Close()
	}
	for _, th := range s.threads {
		th.buffers.FreeAll()
	}
	return err
}

// threadOf is the thread that serves a call.
func threadOf(call *binder.Call) *thread { return call.Thread().Local.(*thread) }

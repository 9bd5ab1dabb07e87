package transport

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/inproc"
	"ipcbench/ipc/copies"
)

// counted is a device whose only file has the account that a test says.
type counted struct {
	*inproc.Device
	device.File
	account device.Account
}

func (c *counted) Open(flags int) (f device.File, err error) {
	c.File, err = c.Device.Open(flags)
	return c, err
}

func (c *counted) Close() error                 { return c.File.Close() }
func (c *counted) Account(int32) device.Account { return c.account }

// openCounted is a server over such a device, and the calling thread as its looper.
func openCounted(t *testing.T) (*counted, *server, *binder.IPCThreadState) {
	t.Helper()
	dev, err := inproc.New(inproc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	c := &counted{Device: dev}
	ps, err := binder.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ps.Close() })
	state, err := ps.Attach()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(state.Detach)
	return c, &server{transport: &transport{site: binderSite}, cfg: ipc.Config{MaxRequest: size},
		session: &session{service: &answering{}, clients: math.MaxInt}}, state
}

// size of requests and replies, in bytes.
const size = 64

// answering answers, each session with an empty ledger. With meet, each call waits until
// another is handled at the same time.
type answering struct {
	meet    chan struct{}
	mu      sync.Mutex
	ledgers []*copies.Ledger // of the threads
}

func (a *answering) NewHandler(th ipc.Thread) (ipc.Handler, error) {
	th.Ledger().Reset()
	a.mu.Lock()
	a.ledgers = append(a.ledgers, th.Ledger())
	a.mu.Unlock()
	reply, err := th.Buffer(size)
	return answer{a.meet, reply}, err
}

type answer struct {
	meet  chan struct{}
	reply *ipc.Buffer
}

func (a answer) Handle([]byte, bool) *ipc.Buffer {
	if a.meet != nil {
		select {
		case a.meet <- struct{}{}:
		case <-a.meet:
		}
	}
	return a.reply
}

func (answer) Done() {}

// between runs f when there is no session.
func (s *server) between(f func()) {
	session := s.session
	s.session = nil
	f()
	s.session = session
}

// TestOperations: what a looper does between its first call and its last reply
// belongs to operations, and nothing else does. Each step costs another power of two.
func TestOperations(t *testing.T) {
	driver, s, state := openCounted(t)
	for _, session := range []struct {
		name string
		// calls to the looper. Before the first it waits, which is step 0; behind each
		// is a step with its reply and the wait for the next.
		calls      []kind
		operations uint64 // the steps that belong to them
	}{
		{"calls and the end of a client", []kind{kindCall, kindCall, kindStop}, 0b0110},
		{"the same again", []kind{kindCall, kindCall, kindStop}, 0b0110},
		{"a session that ends elsewhere", []kind{kindCall, kindCall}, 0b110},
		{"no call", nil, 0},
		{"no call but the end", []kind{kindStop}, 0},
		{"two clients end", []kind{kindCall, kindDrain, kindStop, kindStop}, 0b00010},
		{"calls behind the end of another client", []kind{kindStop, kindCall}, 0b100},
	} {
		step := uint64(1) << 20 // before the session
		spend := func() {
			driver.account.Syscalls += step
			driver.account.HeaderFromUser += 2 * step
			driver.account.HeaderToUser += 4 * step
		}
		spend()
		s.begin(state)
		th := state.Local.(*thread)
		step = 1
		spend()
		for _, k := range session.calls {
			if _, err := th.handle(&binder.Call{Code: code(k, 0, 0)}, nil); err != nil {
				t.Fatal(err)
			}
			step *= 2
			spend()
		}
		s.done(state)
		r, aside := th.Ledger().Report(), (2*step-1)&^session.operations
		if r.OperationSyscalls() != session.operations || r.OperationHeader() != 6*session.operations {
			t.Errorf("%s: operations made %#b system calls and copied %d B of headers, want %#b and %d B",
				session.name, r.OperationSyscalls(), r.OperationHeader(), session.operations, 6*session.operations)
		}
		if want := (copies.Aside{Syscalls: aside, Header: 6 * aside}); r.Aside != want {
			t.Errorf("%s: %+v aside, want %+v", session.name, r.Aside, want)
		}
		ledger := *th.Ledger()
		s.between(func() { // the looper comes too late
			s.begin(state)
			spend()
			s.done(state)
		})
		if *th.Ledger() != ledger {
			t.Errorf("%s: the ledger changes behind it", session.name)
		}
	}
}

// TestFraming: what is around a reply is no payload, and what never went out is
// neither.
func TestFraming(t *testing.T) {
	const framing = 28
	driver, s, state := openCounted(t)
	for _, sent := range []uint64{size + framing, 0, size + framing} {
		s.begin(state)
		th := state.Local.(*thread)
		if _, err := th.handle(&binder.Call{Code: code(kindCall, 0, 0)}, nil); err != nil {
			t.Fatal(err)
		}
		th.account.sent(0, framing)
		driver.account.PayloadFromUser += sent
		s.done(state)
		r := th.Ledger().Report()
		if got, header := r.Payload(copies.Reply), r.OperationHeader(); got != sent/(size+framing)*size || got+header != sent {
			t.Errorf("of %d B sent, %d B are payload and %d B framing", sent, got, header)
		}
	}
}

// silent is a driver that keeps no account, as the kernel's, over that in Go.
type silent struct{ sharedPlatform }

func (p silent) open(place string, wait ipc.Wait, raw bool) (device.Device, error) {
	dev, err := p.sharedPlatform.open(place, wait, raw)
	return silentDevice{dev}, err
}

type silentDevice struct{ device.Device }

func (d silentDevice) Open(flags int) (device.File, error) {
	f, err := d.Device.Open(flags)
	return struct{ device.File }{f}, err
}

func (d silentDevice) Close() error { return closeDevice(d.Device) }

// What the two ends say to each other, in bytes.
const (
	transaction = 4 + abi.SizeofTransactionData // or a reply
	free        = 4 + 8
	bare        = 4                             // BR_NOOP, BR_TRANSACTION_COMPLETE
	toCall      = 2*transaction + free + 2*bare // a client's call
	toServe     = 2*transaction + free + bare   // a looper's reply and its next read
)

// accounting is what a driver tells of an operation at each end.
type accounting struct {
	call, serve uint64 // bytes of headers
	// System calls, 0 where they depend on who sleeps.
	callSyscalls, serveSyscalls uint64
}

// TestOperationsOfSessions: each end of a channel counts the headers of its operations
// to the byte, and so it does the system calls if they are ioctls.
func TestOperationsOfSessions(t *testing.T) {
	const writeRead = 2 * abi.SizeofWriteRead // there and back
	counting := accounting{call: toCall + writeRead, serve: toServe + writeRead}
	for _, c := range []struct {
		name      string
		transport string
		ends      platform
		accounting
	}{
		{"binder", "binder", sharedPlatform{}, counting},
		{"binder-daemon", "binder-daemon", daemonPlatform{}, counting},
		// Its loopers read the completion of a reply by itself.
		{"no account", "binder", silent{}, accounting{toCall, toServe + 2*bare, 1, 2}},
	} {
		for clients := 1; clients <= 2; clients++ {
			t.Run(fmt.Sprintf("%s, %d", c.name, clients), func(t *testing.T) {
				i := slices.IndexFunc(transportList(), func(tr *transport) bool { return tr.info.Name == c.transport })
				server, ends := openEnds(t, transportList()[i], c.ends, clients)
				runSessions(t, server, ends, c.accounting)
			})
		}
	}
}

// openEnds makes a channel, whose ends open the device in a way of their own.
func openEnds(t *testing.T, tr *transport, ends platform, clients int) (*server, []*client) {
	t.Helper()
	cfg := ipc.Config{MaxRequest: size, MaxReply: size, Clients: clients}
	if err := tr.Check(cfg); errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	made, err := tr.Create(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { made.Close() })
	tr.platform = ends
	h, _ := made.Server()
	var s ipc.Server
	apart(func() { s, err = tr.Listen(cfg, h) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var all []*client
	for i := range clients {
		h, _ := made.Client(i)
		c, err := tr.Dial(cfg, h)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		all = append(all, c.(*client))
	}
	return s.(*server), all
}

// apart runs f on a thread that ends with it. A thread of the server's that talked to
// the daemon before it became a looper reads the completion of replies by itself.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		f()
	}()
	<-done
}

// calls of a client in a session.
const calls = 10

// runSessions runs two sessions, and expects of each what the driver is to tell.
func runSessions(t *testing.T, s *server, clients []*client, want accounting) {
	var meet chan struct{}
	if len(clients) == 2 {
		meet = make(chan struct{}) // so that both call different loopers
	}
	begin := []chan struct{}{make(chan struct{}), make(chan struct{})}
	var calling sync.WaitGroup
	defer calling.Wait()
	for _, c := range clients {
		calling.Go(func() {
			runtime.LockOSThread()
			if err := c.find(); err != nil { // on this thread, which has an account before its first call
				t.Error(err)
			}
			for session := range begin {
				<-begin[session]
				if err := c.session(); err != nil {
					t.Error(err)
					s.Close()
				}
				c.expect(t, want, session == 0)
			}
		})
	}
	for session := range begin {
		service := &answering{meet: meet}
		close(begin[session])
		if err := s.Serve(service); err != nil {
			t.Error(err)
		}
		service.expect(t, want, len(clients)*calls)
	}
}

// session is one of a client.
func (c *client) session() error {
	c.Ledger().Reset()
	request, err := c.Buffer(size)
	for range calls {
		if err == nil {
			_, err = c.Call(request)
		}
	}
	return errors.Join(err, c.Stop())
}

// expect looks at a client's ledger after a session. The first call of all has no reply
// to free.
func (c *client) expect(t *testing.T, want accounting, first bool) {
	r, header := c.Ledger().Report(), calls*want.call
	if first {
		header -= free
	}
	if got := r.OperationHeader(); got != header || r.Aside.Header != want.call {
		t.Errorf("client: %d calls copied %d B of headers, want %d; Stop %d, want %d",
			calls, got, header, r.Aside.Header, want.call)
	}
	if got := r.OperationSyscalls(); want.callSyscalls > 0 && (got != calls*want.callSyscalls || r.Aside.Syscalls != want.callSyscalls) {
		t.Errorf("client: %d calls made %d system calls, Stop %d; want %d each", calls, got, r.Aside.Syscalls, want.callSyscalls)
	}
}

// expect looks at the loopers' ledgers after a session of so many calls. The last
// operation of a looper may lack the next call, if what its last read told was to leave,
// or also that read, if it knew.
func (a *answering) expect(t *testing.T, want accounting, handled int) {
	for _, l := range a.ledgers {
		r := l.Report()
		n := r.Messages[copies.Request]
		handled -= int(n)
		read := uint64(0)
		switch lacks := n*want.serve - r.OperationHeader(); {
		case lacks == 0, n > 0 && lacks == transaction:
		case n > 0 && lacks == transaction+bare:
			read = 1
		default:
			t.Errorf("looper: %d calls copied %d B of headers, want %d each", n, r.OperationHeader(), want.serve)
		}
		if got := r.OperationSyscalls(); want.serveSyscalls > 0 && got != n*want.serveSyscalls-read {
			t.Errorf("looper: %d calls made %d system calls, want %d each", n, got, want.serveSyscalls)
		}
		if got := r.Payload(copies.Reply); got != n*size {
			t.Errorf("looper: %d calls have %d B of payload", n, got)
		}
	}
	if handled != 0 {
		t.Errorf("%d calls that no looper tells of", handled)
	}
}

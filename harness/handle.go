package harness

import (
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"ipcbench/harness/workload"
	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// service makes the handlers of one session and adds up what they did.
type service struct {
	session
	gate    gate
	release gate
	// safe: threads are the Go scheduler's, so usage is the whole process's.
	safe bool
	// replies keeps each thread's reply memory from session to session.
	replies *replies

	ready   chan struct{}
	started sync.Once
	held    chan struct{}
	serving atomic.Int32

	mutex      sync.Mutex
	threads    []int
	handled    uint64
	mismatches uint64
	ledger     copies.Report
	usage      Usage
	smallPages bool // some reply was produced on small pages
}

// replies finds the reply buffer of a serving thread.
type replies struct {
	mutex   sync.Mutex
	buffers map[ipc.Thread]*ipc.Buffer
	size    int
}

func (r *replies) of(t ipc.Thread) (*ipc.Buffer, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if b := r.buffers[t]; b != nil {
		return b, nil
	}
	b, err := t.Buffer(r.size)
	if err == nil {
		r.buffers[t] = b
	}
	return b, err
}

func newService(s session, safe bool, r *replies) *service {
	v := &service{session: s, safe: safe, replies: r, gate: gate{safe: safe}, release: gate{safe: safe}, ready: make(chan struct{}), held: make(chan struct{}, 1)}
	if !s.Gated {
		v.gate.open()
		v.release.open()
	}
	return v
}

// NewHandler runs on the serving thread.
func (v *service) NewHandler(t ipc.Thread) (ipc.Handler, error) {
	reply, err := v.replies.of(t)
	if err != nil {
		return nil, err
	}
	reply.Resize(v.Reply)
	t.Ledger().Reset()
	v.serving.Add(1)
	v.mutex.Lock()
	v.threads = append(v.threads, unix.Gettid())
	v.mutex.Unlock()
	v.started.Do(func() { close(v.ready) })
	v.gate.pass()
	return &handler{service: v, thread: t, reply: reply}, nil
}

// handler serves one thread's requests of a session.
type handler struct {
	*service
	thread     ipc.Thread
	reply      *ipc.Buffer
	before     Usage
	handled    uint64
	mismatches uint64
}

func (h *handler) Handle(request []byte, oneway bool) *ipc.Buffer {
	if h.handled == 0 && !h.Gated {
		h.before = currentUsage(h.safe)
	}
	h.handled++
	if len(request) != h.Request || !h.answer(request) {
		h.mismatches++
	}
	return h.reply
}

// answer consumes the request and produces the reply.
func (h *handler) answer(request []byte) (matches bool) {
	reply := h.reply.Bytes()
	switch h.Mode {
	case timedMode:
		stamp := workload.Stamp(request)
		matches = workload.Consume(request, stamp)
		workload.Produce(reply, stamp)
	case verifyMode:
		seed := workload.Stamp(request[:min(8, len(request))])
		matches = sealed(request, seed)
		seal(reply, seed^replySeed)
	case canaryMode:
		matches = workload.Matches(request, h.Seed)
		workload.Fill(reply, h.Seed^replySeed)
	case bareMode:
		matches = true
	}
	return matches
}

// Done adds the thread's account to the session's.
func (h *handler) Done() {
	usage := h.used()
	ledger := h.thread.Ledger().Report()
	v := h.service
	v.mutex.Lock()
	v.handled += h.handled
	v.mismatches += h.mismatches
	v.ledger.Add(ledger)
	v.usage.Add(usage)
	v.smallPages = v.smallPages || !h.reply.OnHugePages()
	v.mutex.Unlock()
	if v.serving.Add(-1) == 0 {
		select {
		case v.held <- struct{}{}:
		default:
		}
	}
	v.release.pass()
}

// used is the thread's usage since its first request. A gated session has none:
// asking for it is a system call, and those are being counted.
func (h *handler) used() Usage {
	if h.handled == 0 || h.Gated {
		return Usage{}
	}
	return currentUsage(h.safe).since(h.before)
}

// threadIDs are the threads that serve so far.
func (v *service) threadIDs() []int {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return slices.Clone(v.threads)
}

// report is the session's account, once Serve has returned.
func (v *service) report() *report {
	return &report{Operations: v.handled, Mismatches: v.mismatches, Ledger: v.ledger, Usage: v.usage, Threads: len(v.threads),
		HugePages: !v.smallPages}
}

// currentUsage is what the thread, or with safe the whole process, has used.
func currentUsage(safe bool) Usage {
	u := sys.ThreadUsage()
	if safe {
		u = sys.ProcessUsage()
	}
	return Usage{u.CPU, u.Voluntary, u.Involuntary, u.MinorFaults, u.MajorFault}
}

func (u Usage) since(before Usage) Usage {
	return Usage{
		CPU:                 u.CPU - before.CPU,
		VoluntarySwitches:   u.VoluntarySwitches - before.VoluntarySwitches,
		InvoluntarySwitches: u.InvoluntarySwitches - before.InvoluntarySwitches,
		MinorFaults:         u.MinorFaults - before.MinorFaults,
		MajorFaults:         u.MajorFaults - before.MajorFaults,
	}
}

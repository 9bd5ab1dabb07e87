package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"ipcbench/harness/evidence"
	"ipcbench/harness/workload"
	"ipcbench/ipc/copies"
)

// Names of the sources in a cell's evidence.
const (
	accountingSource    = "accounting"
	kernelCopiesSource  = "kernel_copies"
	canaryRequestSource = "canary_request"
	canaryReplySource   = "canary_reply"
)

const (
	// evidenceBytes bounds the payload that a counted pass moves each way.
	evidenceBytes = 4 << 20
	// evidenceTries: a runtime-safe worker may start a thread in a pass, and records
	// may be lost. A Binder server is asked for one looper more at the end of each
	// session, until it has sixteen, and its daemon for the thread that serves it.
	evidenceTries = 20
)

// gather checks each cell's ledger against what does not come from it, outside
// the clock and after the rounds: an enabled tracepoint slows every call.
func (b *batch) gather(ctx context.Context) error {
	return b.eachCell(ctx, func(cell *cellUnit, g *group) error {
		b.tell("evidence for " + cell.record.Transport)
		cell.record.Evidence = map[string]evidence.Finding{}
		if err := g.account(cell, b.plan); err != nil {
			return err
		}
		if err := g.kernelCopies(cell, b.plan); err != nil {
			return err
		}
		return g.canary(cell, b.plan, b.random.Uint64())
	})
}

// evidenceSession is a cell's work without pace, warm-up or injection.
func (c *cellUnit) evidenceSession(p Plan, operations int) session {
	s := c.session(p)
	s.WarmUp, s.Time, s.Rate, s.Gap, s.Injection = 0, 0, 0, 0, Injection{}
	s.Operations = operations
	return s
}

// account has the kernel count the system calls of some operations.
func (g *group) account(cell *cellUnit, p Plan) (err error) {
	cell.record.Evidence[accountingSource], err = watched(g, cell.countedSession(p), evidence.Attach, evidence.CrossCheck)
	return err
}

// kernelCopies has the kernel count what its copy functions move for them, where
// it can.
func (g *group) kernelCopies(cell *cellUnit, p Plan) (err error) {
	if err := evidence.CopiesTraceable(); err != nil {
		cell.record.Evidence[kernelCopiesSource] = evidence.Missing(err)
		return nil
	}
	cell.record.Evidence[kernelCopiesSource], err = watched(g, cell.countedSession(p), evidence.AttachCopies, evidence.CheckKernelCopies)
	return err
}

// countedSession is a gated one of so many operations as records can be kept of.
func (c *cellUnit) countedSession(p Plan) session {
	size := max(c.record.RequestBytes, c.record.ReplyBytes)
	s := c.evidenceSession(p, max(8, min(200, evidenceBytes/max(size, 1))))
	s.Gated = true
	return s
}

// watched runs a session under a tracer until a pass has an account, and compares
// that with the ledger.
func watched[A any, T tracer[A]](g *group, s session, attach func(...evidence.Target) (T, error),
	check func(A, copies.Report, uint64) evidence.Finding) (evidence.Finding, error) {
	for try := 1; ; try++ {
		account, reports, failed, err := counted(g, s, attach)
		switch {
		case err != nil:
			return evidence.Finding{}, err
		case mayPass(failed) && try < evidenceTries:
			continue
		case failed != nil:
			return evidence.Missing(failed), nil
		}
		ledger, operations := sum(reports, len(g.clients))
		return check(account, ledger, operations), nil
	}
}

// tracer follows threads for one pass, and accounts for what they did.
type tracer[A any] interface {
	Start() error
	Stop() (A, error)
	Close() error
}

// mayPass says whether another pass may have an account where this one failed: a
// thread began, or a record was lost; not where tracing is refused or absent.
func mayPass(failed error) bool {
	return failed != nil && !errors.Is(failed, fs.ErrPermission) && !errors.Is(failed, errors.ErrUnsupported)
}

// sum adds the ledgers of all processes and the operations of the clients.
func sum(reports []*report, clients int) (ledger copies.Report, operations uint64) {
	for i, r := range reports {
		ledger.Add(r.Ledger)
		if i < clients {
			operations += r.CostOperations
		}
	}
	return ledger, operations
}

// counted runs a gated session with a tracer on. failed says why the tracer has no
// account; err that the workers failed.
func counted[A any, T tracer[A]](g *group, s session, attach func(...evidence.Target) (T, error)) (
	account A, reports []*report, failed, err error) {
	targets, err := g.arrive(s)
	if err != nil {
		return account, nil, nil, err
	}
	t, failed := attach(targets...)
	if failed == nil {
		defer t.Close()
		failed = t.Start()
	}
	if err := g.operate(); err != nil {
		return account, nil, nil, err
	}
	if failed == nil {
		account, failed = t.Stop()
	}
	if err := g.tellGated(order{Release: true}); err != nil {
		return account, nil, nil, err
	}
	if reports, err = g.collect(s); err != nil {
		return account, nil, nil, err
	}
	if followed := len(targets[0].Threads); failed == nil && followed > 0 && reports[len(g.clients)].Threads > followed {
		failed = evidence.ErrNewThread // it joined the server's pool after the others were followed
	}
	return account, reports, failed, nil
}

// arrive brings all threads of a gated session to their gates and says what to
// follow: the threads that the operations run on, or whole processes where
// those are the scheduler's to choose.
func (g *group) arrive(s session) (targets []evidence.Target, err error) {
	ready, err := g.serve(s)
	if err != nil {
		return nil, err
	}
	targets = append(targets, g.target(g.server, ready.Threads))
	if g.broker != nil {
		broker := g.target(g.broker, nil)
		sockets, err := socketsOf(g.broker.pid())
		if err != nil {
			return nil, err
		}
		broker.Control = append(broker.Control, sockets...)
		targets = append(targets, broker)
	}
	for _, p := range g.clients {
		if err := p.send(order{Session: &s}); err != nil {
			return nil, g.blame(err)
		}
		a, err := p.receive(startTimeout)
		if err != nil {
			return nil, g.blame(err)
		}
		targets = append(targets, g.target(p, a.Threads))
	}
	return targets, nil
}

func (g *group) target(p *process, threads []int) evidence.Target {
	t := evidence.Target{PID: p.pid(), Threads: threads, Control: []int{controlFD}}
	if g.info.RuntimeSafe && g.info.PoolThreads == 0 { // a pool's threads are locked
		t.Threads = nil
	}
	return t
}

// socketsOf are a broker's control descriptors: through its sockets it hears who
// comes, maps memory and ends a session. Payload goes other ways.
func socketsOf(pid int) (fds []int, err error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("sockets of the broker: %w", err)
	}
	for _, e := range entries {
		link, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil || !strings.HasPrefix(link, "socket:") {
			continue
		}
		fd, err := strconv.Atoi(e.Name())
		if err != nil {
			return nil, fmt.Errorf("sockets of the broker: %w", err)
		}
		fds = append(fds, fd)
	}
	return fds, nil
}

// operate opens the gates and waits until all threads have come to hold.
func (g *group) operate() error {
	if err := g.tellGated(order{Go: true}); err != nil {
		return err
	}
	for _, p := range g.gated() {
		if _, err := p.receive(startTimeout); err != nil {
			return g.blame(err)
		}
	}
	return nil
}

// gated are the processes whose threads hold at gates.
func (g *group) gated() []*process { return append([]*process{g.server}, g.clients...) }

func (g *group) tellGated(o order) error {
	for _, p := range g.gated() {
		if err := p.send(o); err != nil {
			return g.blame(err)
		}
	}
	return nil
}

// canary sends random bytes both ways once and searches the processes' memory
// for them while they hold still. A one-way cell's request goes as a call, since
// a burst would hold the payload as often as it is long.
func (g *group) canary(cell *cellUnit, p Plan, seed uint64) error {
	s := cell.evidenceSession(p, 1)
	s.Mode, s.Seed, s.OneWay = canaryMode, seed, false
	if _, err := g.serve(s); err != nil {
		return err
	}
	client := g.clients[0]
	absent := s
	absent.Mode = absentMode
	for _, other := range g.clients[1:] {
		if err := other.send(order{Session: &absent}); err != nil {
			return g.blame(err)
		}
	}
	held := s
	held.Gated = true
	for _, o := range []order{{Session: &held}, {Go: true}} {
		if err := client.send(o); err != nil {
			return g.blame(err)
		}
		if _, err := client.receive(startTimeout); err != nil {
			return g.blame(err)
		}
	}
	request, requestErr := g.scan(s.Request, seed)
	reply, replyErr := g.scan(s.Reply, seed^replySeed)
	if err := client.send(order{Release: true}); err != nil {
		return g.blame(err)
	}
	reports, err := g.collect(s)
	if err != nil {
		return err
	}
	ledger, _ := sum(reports, len(g.clients))
	cell.record.Evidence[canaryRequestSource] = canaryFinding(request, requestErr, ledger, copies.Request)
	cell.record.Evidence[canaryReplySource] = canaryFinding(reply, replyErr, ledger, copies.Reply)
	return nil
}

// scan searches all processes of the group for what Fill makes of the seed.
func (g *group) scan(size int, seed uint64) ([]evidence.Place, error) {
	payload := make([]byte, size)
	workload.Fill(payload, seed)
	var pids []int
	for _, p := range g.processes() {
		pids = append(pids, p.pid())
	}
	return evidence.Scan(pids, payload)
}

func canaryFinding(places []evidence.Place, err error, ledger copies.Report, d copies.Direction) evidence.Finding {
	switch {
	case errors.Is(err, evidence.ErrTooShort):
		return evidence.Finding{Status: evidence.NotApplicable, Detail: err.Error()}
	case err != nil:
		return evidence.Missing(err)
	}
	return evidence.CheckCanary(places, ledger, d)
}

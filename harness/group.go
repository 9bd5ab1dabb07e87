package harness

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ipcbench/harness/record"
	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// group is the worker processes of one channel, for one generation.
type group struct {
	channel channel
	config  ipc.Config
	info    ipc.Info
	link    ipc.Link
	server  *process
	broker  *process // of a brokered transport
	clients []*process
}

// startGroup creates a channel and its worker processes.
func startGroup(t ipc.Transport, c channel, config ipc.Config) (*group, error) {
	g := &group{channel: c, config: config, info: t.Info()}
	if err := g.start(t); err != nil {
		g.kill()
		return nil, err
	}
	return g, nil
}

func (g *group) start(t ipc.Transport) (err error) {
	if g.channel.program != "" {
		return g.startAgent()
	}
	where, err := place(g.channel.placement, allowedCPUs())
	if err != nil {
		return err
	}
	if g.link, err = t.Create(g.config); err != nil {
		return fmt.Errorf("create %s: %w", g.channel.transport, err)
	}
	if g.server, err = g.startOne(serverRole, "server", where.server, g.link.Server); err != nil {
		return err
	}
	if link, ok := g.link.(ipc.BrokeredLink); ok && isBrokered(t) {
		if g.broker, err = g.startOne(brokerRole, "broker", where.broker, link.Broker); err != nil {
			return err
		}
	}
	for i := range g.channel.clients {
		handover := func() (ipc.Handover, error) { return g.link.Client(i) }
		client, err := g.startOne(clientRole, fmt.Sprintf("client %d", i), where.client, handover)
		if err != nil {
			return err
		}
		g.clients = append(g.clients, client)
	}
	return g.ready()
}

func isBrokered(t ipc.Transport) bool {
	_, ok := t.(ipc.Brokered)
	return ok
}

func (g *group) startOne(r role, name string, where []int, handover func() (ipc.Handover, error)) (*process, error) {
	h, err := handover()
	if err != nil {
		return nil, fmt.Errorf("hand %s over: %w", g.channel.transport, err)
	}
	task := assignment{Transport: g.channel.transport, Role: r, Config: g.config}
	self, err := os.Executable()
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("find this program's own file: %w", err)
	}
	return startProcess(self, g.channel.transport+" "+name, task, h, g.environment(r), where)
}

// WithoutRestartable is the GLIBC_TUNABLES of workers. Where a C compiler is
// there, package net links this program with the C library, which registers
// restartable sequences for each thread; the kernel then does more at every context switch
// (5 % of a 64 B round trip through a pipe on one CPU of an AMD EPYC). Without
// them it does not matter how the program was built.
const WithoutRestartable = "glibc.pthread.rseq=0"

// environment of a worker. A raw one never collects garbage by itself, is not
// preempted by signals that would interrupt its system calls, and has
// processors for its blocked threads and two to spare for control.
func (g *group) environment(r role) []string {
	set := map[string]string{"GOMAXPROCS": strconv.Itoa(max(2, len(allowedCPUs())))}
	if !g.info.RuntimeSafe {
		threads := 1
		if r == serverRole {
			threads = max(g.channel.clients, g.info.PoolThreads)
		}
		set = map[string]string{
			"GOGC":       "off",
			"GODEBUG":    "asyncpreemptoff=1",
			"GOMAXPROCS": strconv.Itoa(threads + 2),
		}
	}
	set["GLIBC_TUNABLES"] = WithoutRestartable
	env := slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains([]string{"GOGC", "GODEBUG", "GOMAXPROCS", "GOMEMLIMIT", "GLIBC_TUNABLES"}, name)
	})
	for name, value := range set {
		env = append(env, name+"="+value)
	}
	return env
}

func (g *group) ready() error {
	for _, p := range g.processes() {
		if _, err := p.receive(startTimeout); err != nil {
			return g.blame(err)
		}
	}
	return nil
}

func (g *group) processes() (all []*process) {
	if g.server != nil {
		all = append(all, g.server)
	}
	if g.broker != nil {
		all = append(all, g.broker)
	}
	return append(all, g.clients...)
}

// blame finds the process whose death explains an error: the peer of one that
// was killed fails as well, and may be heard first.
func (g *group) blame(err error) error {
	for range 20 {
		for _, p := range g.processes() {
			if p.dead() {
				return p.death()
			}
		}
		if !errors.Is(err, ErrWorker) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// serve starts a session at the server, and at the broker.
func (g *group) serve(s session) (ready answer, err error) {
	for _, p := range []*process{g.broker, g.server} {
		if p == nil {
			continue
		}
		if err := p.send(order{Session: &s}); err != nil {
			return ready, g.blame(err)
		}
		if ready, err = p.receive(startTimeout); err != nil {
			return ready, g.blame(err)
		}
	}
	return ready, nil
}

// startSpread is the time that several clients get to begin together.
const startSpread = 5 * time.Millisecond

// run carries one session out with all clients.
func (g *group) run(s session) ([]*report, error) {
	if _, err := g.serve(s); err != nil {
		return nil, err
	}
	if len(g.clients) > 1 {
		s.Start = sys.Monotonic() + int64(startSpread)
	}
	for _, p := range g.clients {
		if err := p.send(order{Session: &s}); err != nil {
			return nil, g.blame(err)
		}
	}
	return g.collect(s)
}

// collect gathers the reports that end a session, the clients' first.
func (g *group) collect(s session) ([]*report, error) {
	timeout := startTimeout + 10*(s.WarmUp+s.Time+s.Gap)
	var reports []*report
	for _, p := range append(slices.Clone(g.clients), g.server, g.broker) {
		if p == nil {
			continue
		}
		if p == g.broker {
			if err := p.send(order{Rest: true}); err != nil {
				return nil, g.blame(err)
			}
		}
		a, err := p.receive(timeout)
		if err != nil {
			return nil, g.blame(err)
		}
		if a.Report == nil {
			return nil, fmt.Errorf("%w: %s answered out of turn", ErrWorker, p.name)
		}
		reports = append(reports, a.Report)
	}
	return reports, nil
}

// round carries a timed session out and adds its reports up.
func (g *group) round(s session) (Round, *hdrhistogram.Histogram, uint64, error) {
	reports, err := g.run(s)
	if err != nil {
		return Round{}, nil, 0, err
	}
	var r Round
	h := record.NewHistogram()
	var began, ended int64
	var mismatches uint64
	r.HugePages = true
	for i, p := range reports {
		r.HugePages = r.HugePages && p.HugePages
		r.Operations += p.Operations
		r.CostOperations += p.CostOperations
		r.Missed += p.Missed
		r.Dropped += p.Dropped
		mismatches += p.Mismatches
		if i >= len(g.clients) {
			r.CostOperations -= p.CostOperations
			r.Operations -= p.Operations
		}
		r.Ledger.Add(p.Ledger)
		r.Usage.Add(p.Usage)
		if p.Histogram == "" {
			continue
		}
		one, err := record.Decode(p.Histogram)
		if err != nil {
			return Round{}, nil, 0, fmt.Errorf("%w: %w", ErrWorker, err)
		}
		h.Merge(one)
		if began == 0 || p.Began < began {
			began = p.Began
		}
		ended = max(ended, p.Ended)
	}
	r.Elapsed = time.Duration(ended - began)
	r.P50, r.P90, r.P99 = float64(h.ValueAtQuantile(50)), float64(h.ValueAtQuantile(90)), float64(h.ValueAtQuantile(99))
	return r, h, mismatches, nil
}

// end quits the workers in good order and reports one that had died.
func (g *group) end() error {
	var err error
	for _, p := range g.processes() {
		if p.dead() && err == nil {
			err = p.death()
		}
		p.quit()
	}
	return errors.Join(err, g.unlink())
}

// kill ends the workers whatever they do.
func (g *group) kill() {
	for _, p := range g.processes() {
		p.kill()
		p.line.Close()
	}
	g.unlink()
}

// unlink closes the channel's link; that of an agent's channel is the agent's
// affair, as are its notes.
func (g *group) unlink() error {
	if g.link == nil {
		return nil
	}
	return g.link.Close()
}

func (g *group) notes() []string {
	if g.link == nil {
		return nil
	}
	return g.link.Notes()
}

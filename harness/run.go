package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"ipcbench/ipc"
)

// Progress is called as a run goes on, with the share that is done (0 to 1)
// and what is being done.
type Progress func(done float64, what string)

// Run is a plan that was found possible.
type Run struct {
	transports *ipc.Registry
	plan       Plan
	cells      []*cellUnit
	floors     []*floorUnit
	skipped    []Skip
	warnings   []string
	progress   Progress
	random     *rand.Rand
	done       int
	// evidence is off where a self-test only wants times.
	evidence bool
	// sideBySide: see the method.
	sideBySide bool
}

// Prepare finds out what a plan comes to on this machine, before anything is
// measured. patterns are names and globs of transports; see Registry.Select.
// Errors wrap ErrPlan, ipc.ErrUnknownTransport, or what a named transport
// misses (errors.ErrUnsupported, ipc.ErrTooLarge, ipc.ErrNoResources).
func Prepare(r *ipc.Registry, p Plan, patterns []string) (*Run, error) {
	m, err := expand(r, &p, patterns)
	if err != nil {
		return nil, err
	}
	if len(m.cells) == 0 {
		reason := "no transport was selected"
		if len(m.skipped) > 0 {
			reason = fmt.Sprintf("%s: %s", m.skipped[0].Transport, m.skipped[0].Reason)
		}
		return nil, fmt.Errorf("%w (%s)", ErrNoCells, reason)
	}
	return &Run{
		transports: r, plan: p, cells: m.cells, skipped: m.skipped, evidence: true,
		floors: floorUnits(p, m.cells),
		random: rand.New(rand.NewPCG(p.Seed, 0x697063)), warnings: profileWarning(),
	}, nil
}

// Plan is the plan with its transports resolved.
func (r *Run) Plan() Plan { return r.plan }

// Measure carries the plan out. It returns what was measured also when it
// fails or ctx ends: Incomplete says why then, and err is not nil. No process
// and no IPC object is left behind.
func (r *Run) Measure(ctx context.Context, progress Progress) (*Measured, error) {
	r.progress = progress
	err := r.measure(ctx)
	m := r.outcome()
	if err != nil {
		m.Incomplete = err.Error()
	}
	return m, err
}

func (r *Run) measure(ctx context.Context) error {
	for g := range r.plan.Generations {
		if err := r.generation(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

// maxWorkers bounds the worker processes that are alive at once.
const maxWorkers = 96

// generation runs all units with fresh workers; as many channels at a time as
// the bound on workers allows, in an order of the run's own.
func (r *Run) generation(ctx context.Context, generation int) error {
	channels, units := r.byChannel()
	r.random.Shuffle(len(channels), func(i, j int) { channels[i], channels[j] = channels[j], channels[i] })
	for len(channels) > 0 {
		n, workers := 0, 0
		for n < len(channels) && (n == 0 || workers+channels[n].clients+2 <= maxWorkers) {
			workers += channels[n].clients + 2
			n++
		}
		b := &batch{Run: r, generation: generation, units: units, groups: map[channel]*group{}}
		if err := b.run(ctx, channels[:n]); err != nil {
			return err
		}
		channels = channels[n:]
	}
	return nil
}

// byChannel sorts the units by the workers that they share.
func (r *Run) byChannel() (channels []channel, units map[channel][]unit) {
	units = map[channel][]unit{}
	add := func(u unit) {
		c := u.conditions()
		if units[c] == nil {
			channels = append(channels, c)
		}
		units[c] = append(units[c], u)
	}
	for _, f := range r.floors {
		add(f)
	}
	for _, c := range r.cells {
		add(c)
	}
	return channels, units
}

// batch is the channels of one generation that are alive together.
type batch struct {
	*Run
	generation int
	units      map[channel][]unit
	groups     map[channel]*group
}

func (b *batch) run(ctx context.Context, channels []channel) (err error) {
	defer func() {
		if err != nil {
			b.kill()
		}
	}()
	if err := b.start(ctx, channels); err != nil {
		return err
	}
	if err := b.verify(ctx); err != nil {
		return err
	}
	for range b.plan.Rounds {
		if err := b.round(ctx); err != nil {
			return err
		}
	}
	if b.evidence && b.generation == 0 {
		if err := b.gather(ctx); err != nil {
			return err
		}
	}
	return b.end()
}

// start starts each channel's workers. One that the system has no room for now
// is skipped with the reason; its units are not measured in this generation.
func (b *batch) start(ctx context.Context, channels []channel) error {
	for _, c := range channels {
		if err := ctx.Err(); err != nil {
			return ErrInterrupted
		}
		t, err := lookup(b.transports, c.transport)
		if err != nil {
			return err
		}
		b.tell("starting " + c.transport)
		g, err := startGroup(t, c, b.config(c))
		if errors.Is(err, ipc.ErrNoResources) || errors.Is(err, ipc.ErrTooLarge) || errors.Is(err, errors.ErrUnsupported) {
			b.drop(c, err)
			continue
		}
		if err != nil {
			return err
		}
		b.groups[c] = g
	}
	return nil
}

// config fits all units of a channel.
func (b *batch) config(c channel) ipc.Config {
	config := ipc.Config{Clients: c.clients, Wait: c.wait, HugePages: b.plan.HugePages}
	for _, u := range b.units[c] {
		request, reply := u.payload()
		config.MaxRequest = max(config.MaxRequest, request)
		config.MaxReply = max(config.MaxReply, reply)
	}
	return config
}

func (r *Run) drop(c channel, err error) {
	s := Skip{Transport: c.transport, Reason: err.Error(), Cell: c.words()}
	for _, have := range r.skipped {
		if have == s {
			return
		}
	}
	r.skipped = append(r.skipped, s)
}

// round gives every unit one turn, in a new order.
func (b *batch) round(ctx context.Context) error {
	for _, t := range b.turns() {
		if err := b.alive(ctx); err != nil {
			return err
		}
		b.step(t.unit)
		round, h, mismatches, err := t.group.round(t.unit.session(b.plan))
		if err != nil {
			return err
		}
		if mismatches > 0 {
			return fmt.Errorf("%w: %s: %d messages did not hold what was sent", ErrWorker, t.group.channel.transport, mismatches)
		}
		t.unit.keep(b.generation, round, h)
	}
	return nil
}

// turn is a unit with the workers that carry it out.
type turn struct {
	unit  unit
	group *group
}

func (b *batch) turns() (turns []turn) {
	for c, g := range b.groups {
		for _, u := range b.units[c] {
			turns = append(turns, turn{u, g})
		}
	}
	sortTurns(turns)
	b.random.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	if b.sideBySide {
		return adjacent(turns, byPayload)
	}
	return adjacent(turns, byCell)
}

// alive reports an interrupt, or a worker that died while it was not its turn.
func (b *batch) alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return ErrInterrupted
	}
	for _, g := range b.groups {
		for _, p := range g.processes() {
			if p.dead() {
				return p.death()
			}
		}
	}
	return nil
}

// ErrInterrupted reports a run that was told to stop.
var ErrInterrupted = errors.New("interrupted")

func (b *batch) end() error {
	var errs []error
	for _, g := range b.groups {
		errs = append(errs, g.end())
	}
	b.groups = nil
	return errors.Join(errs...)
}

func (b *batch) kill() {
	for _, g := range b.groups {
		g.kill()
	}
}

// step tells how far the run is.
func (r *Run) step(u unit) {
	r.done++
	request, _ := u.payload()
	r.tell(fmt.Sprintf("%s %d B", u.conditions().transport, request))
}

func (r *Run) tell(what string) {
	if r.progress == nil {
		return
	}
	total := (len(r.cells) + len(r.floors)) * r.plan.Generations * r.plan.Rounds
	r.progress(float64(r.done)/float64(max(total, 1)), what)
}

// Estimate is how long the timed rounds of the run will take, with their
// warm-up.
func (r *Run) Estimate() time.Duration {
	rounds := (len(r.cells) + len(r.floors)) * r.plan.Generations * r.plan.Rounds
	return time.Duration(rounds) * (r.plan.RoundTime + r.plan.warmUp())
}

// outcome is what was recorded so far; units without a round are left out.
func (r *Run) outcome() *Measured {
	m := &Measured{Plan: r.plan, Skipped: r.skipped, Warnings: r.warnings}
	for _, f := range r.floors {
		if f.record.Latency != nil {
			m.Floors = append(m.Floors, f.record)
		}
	}
	for _, c := range r.cells {
		if c.record.Latency != nil {
			m.Cells = append(m.Cells, c.record)
		}
	}
	return m
}

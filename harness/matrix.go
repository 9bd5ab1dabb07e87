package harness

import (
	"errors"
	"fmt"
	"strings"

	"ipcbench/harness/workload"
	"ipcbench/ipc"
)

// ErrPlan reports a plan that cannot be carried out as asked.
var ErrPlan = errors.New("cannot run this")

// ErrNoCells is the ErrPlan of a plan of which this machine can measure nothing.
var ErrNoCells = fmt.Errorf("%w: no cell is left to measure", ErrPlan)

// Limits of a plan, so that a slip of the hand is an answer and no day-long
// run.
const (
	maxClients     = 32
	maxGenerations = 1000
	maxRounds      = 100000
	maxRate        = 1e9 // operations a second: the clock counts nanoseconds
)

// channel is what one set of worker processes is made for: all cells of one
// transport under the same conditions.
type channel struct {
	transport string
	clients   int
	wait      ipc.Wait
	placement string
	// variant of a self-test or a paired run, with workers of its own; else
	// empty.
	variant string
	// program whose workers these are, reached through an agent; empty is
	// this one, without.
	program string
}

// matrix is a plan in detail.
type matrix struct {
	cells   []*cellUnit
	skipped []Skip
}

// expand crosses the plan's lists into cells. A transport that was named, and
// not matched by a pattern or the default, must be able to do what is asked.
func expand(r *ipc.Registry, p *Plan, patterns []string) (*matrix, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	selected, err := r.Select(patterns)
	if err != nil {
		return nil, err
	}
	m := &matrix{}
	p.Transports = nil
	for _, t := range selected {
		p.Transports = append(p.Transports, t.Info().Name)
		if err := m.add(t, *p); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (p Plan) validate() error {
	switch {
	case p.Rounds < 1 || p.Rounds > maxRounds:
		return fmt.Errorf("%w: %d rounds (1 to %d)", ErrPlan, p.Rounds, maxRounds)
	case p.Generations < 1 || p.Generations > maxGenerations:
		return fmt.Errorf("%w: %d generations (1 to %d)", ErrPlan, p.Generations, maxGenerations)
	case p.RoundTime <= 0:
		return fmt.Errorf("%w: a round time of %v", ErrPlan, p.RoundTime)
	case !(p.RatePerSecond >= 0 && p.RatePerSecond <= maxRate):
		return fmt.Errorf("%w: a rate of %v (up to %.0g a second)", ErrPlan, p.RatePerSecond, float64(maxRate))
	case p.Gap < 0:
		return fmt.Errorf("%w: a gap of %v", ErrPlan, p.Gap)
	case p.RatePerSecond > 0 && p.Gap > 0:
		return fmt.Errorf("%w: a rate and a gap exclude each other", ErrPlan)
	case len(p.Sizes)*len(p.Workloads)*len(p.Clients)*len(p.Waits)*len(p.Placements) == 0:
		return fmt.Errorf("%w: an empty list leaves nothing to measure", ErrPlan)
	}
	return p.validateLists()
}

func (p Plan) validateLists() error {
	for _, n := range p.Sizes {
		if n < 0 || n > ipc.MaxPayload {
			return fmt.Errorf("%w: a payload of %d bytes (0 to %d)", ErrPlan, n, ipc.MaxPayload)
		}
	}
	for _, n := range p.Clients {
		if n < 1 || n > maxClients {
			return fmt.Errorf("%w: %d clients (1 to %d)", ErrPlan, n, maxClients)
		}
	}
	for _, name := range p.Workloads {
		if _, err := workload.Lookup(name); err != nil {
			return fmt.Errorf("%w: %w", ErrPlan, err)
		}
	}
	for _, name := range p.Waits {
		if _, err := ipc.ParseWait(name); err != nil {
			return fmt.Errorf("%w: %w", ErrPlan, err)
		}
	}
	for _, name := range p.Placements {
		if _, err := place(name, allowedCPUs()); err != nil {
			return fmt.Errorf("%w: %w", ErrPlan, err)
		}
	}
	return nil
}

// add adds one transport's cells.
func (m *matrix) add(t ipc.Selected, p Plan) error {
	name, before := t.Info().Name, len(m.cells)
	var refusals []Skip
	for _, c := range p.channels(name) {
		if skip := refuse(t.Info(), p, c); skip != nil {
			refusals = append(refusals, *skip)
			continue
		}
		if err := m.addChannel(t, p, c); err != nil {
			return err
		}
	}
	if t.ByName && len(m.cells) == before && len(refusals) > 0 {
		return fmt.Errorf("%w: %s: %s", ErrPlan, name, refusals[0].Reason)
	}
	m.skipped = append(m.skipped, refusals...)
	return nil
}

func (p Plan) channels(transport string) (list []channel) {
	for _, placement := range p.Placements {
		for _, w := range p.Waits {
			wait, _ := ipc.ParseWait(w) // validated
			for _, clients := range p.Clients {
				list = append(list, channel{transport: transport, clients: clients, wait: wait, placement: placement})
			}
		}
	}
	return list
}

func (c channel) words() string {
	clients := "1 client"
	if c.clients != 1 {
		clients = fmt.Sprintf("%d clients", c.clients)
	}
	return fmt.Sprintf("%s, wait %s, placement %s", clients, c.wait, c.placement)
}

// refuse says why a transport is not measured under some conditions.
func refuse(info ipc.Info, p Plan, c channel) *Skip {
	switch {
	case !info.CanWait(c.wait):
		return &Skip{c.transport, fmt.Sprintf("it cannot wait by %s", c.wait), c.words()}
	case c.wait == ipc.Spin && c.placement == Same:
		return &Skip{c.transport, "two spinning processes on one CPU only wait for each other's time slice", c.words()}
	case p.RatePerSecond > 0 && c.placement == Same:
		return &Skip{c.transport, "a spin-paced load would take the server's CPU", c.words()}
	}
	return nil
}

// addChannel adds the cells of one channel whose payloads the transport can
// carry here.
func (m *matrix) addChannel(t ipc.Selected, p Plan, c channel) error {
	for _, name := range p.Workloads {
		w, _ := workload.Lookup(name) // validated
		for _, size := range p.Sizes {
			request, reply := w.Sizes(size)
			config := ipc.Config{MaxRequest: request, MaxReply: reply, Clients: c.clients, Wait: c.wait, HugePages: p.HugePages}
			key := Key{c.transport, name, request, reply, c.clients, c.wait.String(), c.placement}
			if err := t.Check(config); err != nil {
				if t.ByName {
					return fmt.Errorf("%w: %s at %s: %w", ErrPlan, c.transport, SizeText(size), err)
				}
				m.skip(c, size, err)
				continue
			}
			m.cells = append(m.cells, &cellUnit{record: CellRecord{Key: key}, channel: c, workload: w})
		}
	}
	return nil
}

// skip notes a reason once for a transport that fails at every size alike.
func (m *matrix) skip(c channel, size int, err error) {
	reason := strings.TrimPrefix(err.Error(), c.transport+": ")
	s := Skip{c.transport, reason, fmt.Sprintf("%s, %s", SizeText(size), c.words())}
	if errors.Is(err, errors.ErrUnsupported) {
		s.Reason = strings.TrimPrefix(reason, errors.ErrUnsupported.Error()+": ")
		s.Cell = ""
	}
	for _, have := range m.skipped {
		if have == s {
			return
		}
	}
	m.skipped = append(m.skipped, s)
}

// SizeText is a size in bytes with its unit, a power of 1024.
func SizeText(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

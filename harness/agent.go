package harness

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"ipcbench/harness/record"
	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// ErrOtherBuild reports a program that a paired run cannot drive.
var ErrOtherBuild = errors.New("cannot pair with this program")

// startAgent starts the channel's program as an agent, which creates the channel
// and its workers by its own code; to this end it is the channel's only client.
func (g *group) startAgent() error {
	task := assignment{Transport: g.channel.transport, Role: agentRole, Config: g.config, Placement: g.channel.placement}
	name := fmt.Sprintf("%s agent (%s)", g.channel.transport, g.channel.variant)
	agent, err := startProcess(g.channel.program, name, task, ipc.Handover{}, os.Environ(), allowedCPUs())
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrOtherBuild, g.channel.program, err)
	}
	g.clients = []*process{agent}
	a, err := agent.receive(startTimeout)
	if err != nil && a.Protocol == 0 {
		return fmt.Errorf("%w: %s is no build of ipcbench that knows paired runs: %w", ErrOtherBuild, g.channel.program, err)
	}
	if a.Protocol != protocolVersion {
		return fmt.Errorf("%w: %s speaks version %d of the worker protocol, this build speaks %d",
			ErrOtherBuild, g.channel.program, a.Protocol, protocolVersion)
	}
	return err
}

// agentEnd holds a channel with workers of this build for the harness of
// another one.
type agentEnd struct {
	*worker
	group *group
	close sync.Once
}

func openAgent(w *worker, t ipc.Transport) (end, error) {
	c := channel{transport: w.task.Transport, clients: w.task.Config.Clients, wait: w.task.Config.Wait, placement: w.task.Placement}
	g, err := startGroup(t, c, w.task.Config)
	if err != nil {
		return nil, err
	}
	return &agentEnd{worker: w, group: g}, nil
}

// Close is also called from where the end of the line is noticed, beside a
// Close that a Quit has begun.
func (e *agentEnd) Close() (err error) {
	e.close.Do(func() { err = e.group.end() })
	return err
}

// session adds all workers' reports up to one.
func (e *agentEnd) session(s session) error {
	round, h, mismatches, err := e.group.round(s)
	if err != nil {
		return err
	}
	r := &report{
		Operations: round.Operations, CostOperations: round.CostOperations,
		Missed: round.Missed, Dropped: round.Dropped, Mismatches: mismatches, Ledger: round.Ledger, Usage: round.Usage,
		HugePages: round.HugePages,
	}
	r.Ended = sys.Monotonic()
	r.Began = r.Ended - int64(round.Elapsed)
	if r.Histogram, err = record.Encode(h); err != nil {
		return err
	}
	return e.finish(r)
}

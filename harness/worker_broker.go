package harness

import (
	"fmt"

	"ipcbench/ipc"
)

type brokerEnd struct {
	*worker
	broker ipc.Broker
}

func openBroker(w *worker, t ipc.Transport, h ipc.Handover) (end, error) {
	brokered, ok := t.(ipc.Brokered)
	if !ok {
		return nil, fmt.Errorf("%s has no broker", w.task.Transport)
	}
	broker, err := brokered.Broker(w.task.Config, h)
	if err != nil {
		return nil, err
	}
	return &brokerEnd{w, broker}, nil
}

func (e *brokerEnd) Close() error { return e.broker.Close() }

// session accounts for the whole process: its threads are the broker's own
// affair.
func (e *brokerEnd) session(session) error {
	e.broker.Ledger().Reset()
	before := currentUsage(true)
	running := make(chan struct{})
	ended := make(chan error, 1)
	go func() { ended <- e.broker.Run(func() { close(running) }) }()
	select {
	case <-running:
	case err := <-ended:
		return err
	}
	if err := e.line.Send(answer{Ready: true}); err != nil {
		return err
	}
	if resting, ok := e.broker.(ipc.Resting); ok {
		e.await(func(o order) bool { return o.Rest })
		resting.Rest()
	}
	if err := <-ended; err != nil {
		return err
	}
	// No garbage is collected: a broker makes none, and a daemon's threads may be
	// in the kernel. Nor does it produce payload.
	r := &report{HugePages: true, Ledger: e.broker.Ledger().Report(), Usage: currentUsage(true).since(before)}
	return e.line.Send(answer{Report: r})
}

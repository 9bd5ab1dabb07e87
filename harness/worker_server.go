package harness

import (
	"time"

	"ipcbench/ipc"
)

type serverEnd struct {
	*worker
	server  ipc.Server
	replies *replies
}

func openServer(w *worker, t ipc.Transport, h ipc.Handover) (end, error) {
	server, err := t.Listen(w.task.Config, h)
	if err != nil {
		return nil, err
	}
	r := &replies{buffers: map[ipc.Thread]*ipc.Buffer{}, size: w.task.Config.MaxReply}
	return &serverEnd{w, server, r}, nil
}

func (e *serverEnd) Close() error { return e.server.Close() }

func (e *serverEnd) session(s session) error {
	v := newService(s, e.info.RuntimeSafe, e.replies)
	served := make(chan error, 1)
	go func() { served <- e.server.Serve(v) }()
	select {
	case <-v.ready:
	case err := <-served:
		return err
	}
	if s.Gated && e.info.PoolThreads > 0 {
		time.Sleep(poolSettles)
	}
	if err := e.line.Send(answer{Ready: true, Threads: v.threadIDs()}); err != nil {
		return err
	}
	if s.Gated {
		if err := e.gated(v); err != nil {
			return err
		}
	}
	if err := <-served; err != nil {
		return err
	}
	return e.finish(v.report())
}

// poolSettles is the time that the threads of a pool get to come to their gates.
const poolSettles = 20 * time.Millisecond

// gated opens the session's gates as the harness says.
func (e *serverEnd) gated(v *service) error {
	e.await(func(o order) bool { return o.Go })
	v.gate.open()
	<-v.held
	if err := e.line.Send(answer{Held: true}); err != nil {
		return err
	}
	e.await(func(o order) bool { return o.Release })
	v.release.open()
	return nil
}

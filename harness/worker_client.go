package harness

import (
	"runtime"

	"golang.org/x/sys/unix"

	"ipcbench/harness/pacing"
	"ipcbench/harness/record"
	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

type clientEnd struct {
	*worker
	client   ipc.Client
	request  *ipc.Buffer
	recorder *record.Recorder
	clock    pacing.Clock
	// jobs run on the client's own thread.
	jobs chan func()
}

func openClient(w *worker, t ipc.Transport, h ipc.Handover) (end, error) {
	client, err := t.Dial(w.task.Config, h)
	if err != nil {
		return nil, err
	}
	request, err := client.Buffer(w.task.Config.MaxRequest)
	if err != nil {
		client.Close()
		return nil, err
	}
	e := &clientEnd{worker: w, client: client, request: request,
		recorder: record.New(), clock: pacing.NewClock(), jobs: make(chan func())}
	go e.thread()
	return e, nil
}

func (e *clientEnd) thread() {
	if !e.info.RuntimeSafe || e.info.PoolThreads > 0 { // a pool's callers are locked as its threads are
		runtime.LockOSThread()
	}
	for job := range e.jobs {
		job()
	}
}

func (e *clientEnd) Close() error { return e.client.Close() }

// session runs on the thread of the worker's orders, its operations on the
// client's.
func (e *clientEnd) session(s session) error {
	safe := e.info.RuntimeSafe
	run := &clientRun{end: e, gate: gate{safe: safe}, release: gate{safe: safe}, held: make(chan int, 1), done: make(chan error, 1)}
	run.operator = operator{session: s, client: e.client, request: e.request, clock: e.clock, recorder: e.recorder}
	e.jobs <- func() { run.done <- run.all() }
	if s.Gated {
		if err := run.gated(); err != nil {
			return err
		}
	}
	if err := <-run.done; err != nil {
		return err
	}
	run.report.HugePages = e.request.OnHugePages()
	var err error
	if run.report.Histogram, err = e.recorder.Encode(); err != nil {
		return err
	}
	return e.finish(&run.report)
}

// clientRun is one session of a client.
type clientRun struct {
	operator
	end           *clientEnd
	gate, release gate
	held          chan int
	done          chan error
	report        report
}

// all runs on the client's thread.
func (r *clientRun) all() error {
	r.request.Resize(r.Request)
	r.recorder.Reset()
	r.client.Ledger().Reset()
	if r.Gated {
		r.held <- unix.Gettid()
		r.gate.pass()
	}
	if r.Mode != absentMode {
		if err := r.measure(); err != nil {
			return err
		}
	}
	if r.Gated && r.Mode == canaryMode {
		r.hold()
	}
	if err := r.client.Stop(); err != nil {
		return err
	}
	r.report.Ledger = r.client.Ledger().Report()
	if r.Gated && r.Mode != canaryMode {
		r.hold()
	}
	return nil
}

// hold keeps the thread out of the kernel until the release.
func (r *clientRun) hold() {
	r.held <- 0
	r.release.pass()
}

func (r *clientRun) measure() (err error) {
	if r.Gated {
		return r.count()
	}
	sleepUntil(sys.Monotonic(), r.Start)
	before := currentUsage(r.end.info.RuntimeSafe)
	if err := r.warm(); err != nil {
		return err
	}
	warm := r.operations
	r.report.Began = sys.Monotonic()
	if r.report.Missed, r.report.Dropped, err = r.timed(); err != nil {
		return err
	}
	r.report.Ended = sys.Monotonic()
	r.report.Usage = currentUsage(r.end.info.RuntimeSafe).since(before)
	r.report.CostOperations = r.operations
	r.report.Operations = r.operations - warm
	r.report.Mismatches = r.mismatches
	return nil
}

// count makes operations while somebody counts this thread's system calls: there
// are none but the operations'.
func (r *clientRun) count() error {
	_, _, err := r.timed()
	r.report.Operations, r.report.CostOperations = r.operations, r.operations
	r.report.Mismatches = r.mismatches
	return err
}

// gated runs beside the client's thread and opens its gates as the harness
// says.
func (r *clientRun) gated() error {
	select {
	case tid := <-r.held:
		if err := r.end.line.Send(answer{Ready: true, Threads: []int{tid}}); err != nil {
			return err
		}
	case err := <-r.done:
		return err
	}
	r.end.await(func(o order) bool { return o.Go })
	r.gate.open()
	select {
	case <-r.held:
	case err := <-r.done:
		return err
	}
	if err := r.end.line.Send(answer{Held: true}); err != nil {
		return err
	}
	r.end.await(func(o order) bool { return o.Release })
	r.release.open()
	return nil
}

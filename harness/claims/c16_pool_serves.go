package claims

import (
	"context"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/parcel"
)

var poolServes = Define(Meta{
	ID:         "C16",
	Statement:  "All requests of clients are served by the Binder threads of the server's pool.",
	Source:     "D2 part 3",
	Refutation: "A request that a thread served which is no looper by the driver's own account.",
	Experiment: "8 callers make 500 calls each; the ids of the threads whose handlers ran are compared with the loopers in " +
		"the driver's live dump. Then a client whose own pool is idle calls a server that calls it back.",
}, measureServing, judgeServing)

// servingNumbers is who served what.
type servingNumbers struct {
	// Calls from outside, and of those the ones that loopers served.
	Calls, ByLoopers int
	// Threads that served.
	Threads int
	// Nested calls came to a process that was waiting for a call of its own;
	// NestedByWaiter of them were served by the very thread that waited, although
	// IdleLoopers of its pool were idle.
	Nested, NestedByWaiter, NestedByLoopers, IdleLoopers int
	// Dumped: the driver's own account was to be had. Otherwise the loopers are
	// those that the server says it has.
	Dumped bool
}

func judgeServing(n servingNumbers) Judgement {
	j := Judgement{Verdict: Supported, Confidence: "the driver's own account of its loopers",
		Text: fmt.Sprintf("loopers served %d of %d calls from outside, on %d threads; of %d calls back to a process that waits, "+
			"%d were served by the waiting thread and %d by a looper, of which %d were idle",
			n.ByLoopers, n.Calls, n.Threads, n.Nested, n.NestedByWaiter, n.NestedByLoopers, n.IdleLoopers)}
	if !n.Dumped {
		j.Confidence = "the server's own account of its loopers: the driver shows none"
	}
	switch {
	case n.Calls == 0:
		return Judgement{Verdict: Inconclusive, Text: j.Text}
	case n.ByLoopers < n.Calls:
		return Judgement{Verdict: Refuted, Text: j.Text}
	case n.NestedByLoopers < n.Nested:
		j.Verdict = Conditional
		j.When = "the request comes from outside: a call back into a process that waits for an answer is served by the thread that waits"
	}
	return j
}

const (
	servingCallers = 8
	servingCalls   = 500
	nestedCalls    = 20
)

func measureServing(_ context.Context, _ *Bench, subject Subject) (n servingNumbers, err error) {
	s, err := openSession(subject, servantProps{MaxThreads: binder.DefaultMaxThreads})
	if err != nil {
		return n, err
	}
	defer closing(s.close, &err)
	if err := s.callOften(); err != nil {
		return n, err
	}
	log, err := s.log()
	if err != nil {
		return n, err
	}
	loopers, dumped := s.loopers(log)
	n.Dumped, n.Threads = dumped, len(log.Served)
	for tid, served := range log.Served {
		n.Calls += served
		if loopers[tid] {
			n.ByLoopers += served
		}
	}
	return n, s.callBack(&n)
}

// callOften has several callers call at once.
func (s *session) callOften() error {
	servant, err := s.ps.ContextObject()
	if err != nil {
		return err
	}
	defer servant.Close()
	var all sync.WaitGroup
	failures := make(chan error, servingCallers)
	for range servingCallers {
		all.Go(func() {
			for range servingCalls {
				if err := servant.Transact(codeEcho, nil, nil, 0); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failures)
	return <-failures
}

// loopers are the servant's threads that are loopers by the driver's account, or
// by the servant's own where the driver gives none.
func (s *session) loopers(log servantLog) (ids map[int32]bool, dumped bool) {
	ids = map[int32]bool{}
	text, err := s.view("state")
	if err != nil {
		for _, l := range log.Loopers {
			ids[l.TID] = true
		}
		return ids, false
	}
	for _, p := range parseDump(text).of(s.servant.PID()) {
		for _, t := range p.Threads {
			ids[t.TID] = t.pool()
		}
	}
	return ids, true
}

// callBack hands the servant an object of this process, which has an idle pool,
// and counts who serves the calls that come back.
func (s *session) callBack(n *servingNumbers) (err error) {
	if n.IdleLoopers, err = s.idleLooper(); err != nil {
		return err
	}
	var mu sync.Mutex
	served := map[int32]int{}
	object := s.ps.NewBinder("org.ipcbench.IBack", binder.HandlerFunc(func(*binder.Call) error {
		mu.Lock()
		defer mu.Unlock()
		served[int32(unix.Gettid())]++
		return nil
	}))
	for range nestedCalls {
		var data parcel.Parcel
		binder.WriteStrongBinder(&data, object)
		err := s.thread.Transact(0, codeCallBack, &data, nil, 0)
		data.Reset()
		if err != nil {
			return fmt.Errorf("call with a call back: %w", err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for tid, times := range served {
		n.Nested += times
		if tid == int32(unix.Gettid()) { // the goroutine is attached to its thread
			n.NestedByWaiter += times
		} else {
			n.NestedByLoopers += times
		}
	}
	return nil
}

// idleLooper starts this process's pool and waits until the driver shows that its
// first looper is idle. It returns how many are, 0 where the driver shows nothing.
func (s *session) idleLooper() (idle int, err error) {
	if err := s.ps.StartThreadPool(); err != nil {
		return 0, err
	}
	if _, err := s.view("state"); err != nil {
		return 0, nil
	}
	_, err = await(func() (bool, error) {
		text, err := s.view("state")
		idle = 0
		for _, p := range parseDump(text).of(os.Getpid()) {
			for _, t := range p.Threads {
				if t.pool() && t.waits() {
					idle++
				}
			}
		}
		return idle > 0, err
	})
	return idle, err
}

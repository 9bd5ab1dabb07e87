package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Target is what to follow of one process.
type Target struct {
	PID int
	// Threads that are measured. If there are none, all threads of the
	// process are followed.
	Threads []int
	// Control lists descriptors of the process that are not the
	// transport's: what moves through them is accounted apart.
	Control []int
}

// ErrNewThread says that a process, all of whose threads were to be followed,
// began another during the pass. Another pass may find it settled.
var ErrNewThread = errors.New("a thread began during the pass")

// Tracer follows the system calls of threads of other processes, for one pass.
// It belongs to one goroutine.
type Tracer struct {
	points  tracepoints
	targets []Target
	threads []*tracedThread
	// halt is an eventfd that ends the collector.
	halt      int
	collector sync.WaitGroup
}

// Attach prepares to follow the targets. It fails with an error that wraps
// fs.ErrPermission where tracing is not permitted, errors.ErrUnsupported where
// the kernel has no tracepoints. Close the tracer in the end.
func Attach(targets ...Target) (*Tracer, error) {
	points, err := probe()
	if err != nil {
		return nil, fmt.Errorf("tracepoints: %w", err)
	}
	halt, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	t := &Tracer{points: points, targets: targets, halt: halt}
	for i, target := range targets {
		if err := t.attach(i, target); err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	return t, nil
}

func (t *Tracer) attach(index int, target Target) error {
	tids := target.Threads
	if len(tids) == 0 {
		var err error
		if tids, err = threadsOf(target.PID); err != nil {
			return err
		}
	}
	for _, tid := range tids {
		thread, err := openThread(t.points, tid)
		if err != nil {
			return fmt.Errorf("thread %d of process %d: %w", tid, target.PID, err)
		}
		thread.target = index
		t.threads = append(t.threads, thread)
	}
	return nil
}

// threadsOf lists the threads of a process, in order.
func threadsOf(pid int) ([]int, error) {
	threads, err := procfs.AllThreads(pid)
	if err != nil {
		return nil, fmt.Errorf("threads of process %d: %w", pid, err)
	}
	var tids []int
	for _, thread := range threads {
		tids = append(tids, thread.PID)
	}
	slices.Sort(tids)
	return tids, nil
}

// Start begins the pass. The threads must be at rest.
func (t *Tracer) Start() error {
	t.collector.Go(t.collect)
	return t.each(func(thread *tracedThread) error { return thread.control(unix.PERF_EVENT_IOC_ENABLE) })
}

// Stop ends the pass, with the threads at rest again, and accounts for what
// they called. It fails if any call was missed.
func (t *Tracer) Stop() (*Account, error) {
	err := t.each(func(thread *tracedThread) error { return thread.control(unix.PERF_EVENT_IOC_DISABLE) })
	if err = errors.Join(err, t.endCollector()); err != nil {
		return nil, err
	}
	if err := t.sameThreads(); err != nil {
		return nil, err
	}
	account := newAccount(t.targets)
	for _, thread := range t.threads {
		calls, err := thread.calls(t.points)
		if err != nil {
			return nil, fmt.Errorf("thread %d: %w", thread.tid, err)
		}
		account.add(t.targets[thread.target], calls)
	}
	return account, nil
}

// sameThreads makes sure that no call was missed because its thread is new.
func (t *Tracer) sameThreads() error {
	for i, target := range t.targets {
		if len(target.Threads) > 0 {
			continue
		}
		now, err := threadsOf(target.PID)
		if err != nil {
			return err
		}
		for _, tid := range now {
			if !slices.ContainsFunc(t.threads, func(had *tracedThread) bool {
				return had.target == i && had.tid == tid
			}) {
				return fmt.Errorf("process %d: %w", target.PID, ErrNewThread)
			}
		}
	}
	return nil
}

// Close lets go of everything, whether the pass ran or not. It is idempotent.
func (t *Tracer) Close() error {
	if t.halt < 0 {
		return nil
	}
	err := t.endCollector()
	err = errors.Join(err, t.each((*tracedThread).close), unix.Close(t.halt))
	t.threads, t.halt = nil, -1
	return err
}

func (t *Tracer) each(f func(*tracedThread) error) error {
	var errs []error
	for _, thread := range t.threads {
		errs = append(errs, f(thread))
	}
	return errors.Join(errs...)
}

// endCollector makes the collector drain the rings a last time and return.
func (t *Tracer) endCollector() error {
	_, err := unix.Write(t.halt, binary.NativeEndian.AppendUint64(nil, 1))
	t.collector.Wait()
	return err
}

// collect empties the rings as they fill, until halt says that it was the last
// time.
func (t *Tracer) collect() {
	polled := []unix.PollFd{{Fd: int32(t.halt), Events: unix.POLLIN}}
	for _, thread := range t.threads {
		polled = append(polled, unix.PollFd{Fd: int32(thread.enter), Events: unix.POLLIN})
	}
	for halted := false; !halted; {
		if _, err := unix.Poll(polled, -1); err != nil && err != unix.EINTR {
			return
		}
		halted = polled[0].Revents != 0
		for i, thread := range t.threads {
			more := thread.drain()
			if !more || polled[i+1].Revents&unix.POLLHUP != 0 {
				polled[i+1].Fd = -1
			}
		}
	}
}

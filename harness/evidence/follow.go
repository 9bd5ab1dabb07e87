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

// follower has perf events on threads of other processes, for one pass. It
// belongs to one goroutine.
type follower struct {
	targets []Target
	threads []*followed
	// halt is an eventfd that ends the collector.
	halt      int
	collector sync.WaitGroup
}

// opener opens events on a thread, not yet enabled, which then share a ring.
type opener func(tid int) ([]int, error)

// follow opens events on all threads of the targets.
func follow(open opener, targets []Target) (*follower, error) {
	halt, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	f := &follower{targets: targets, halt: halt}
	for i, target := range targets {
		if err := f.attach(open, i, target); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

func (f *follower) attach(open opener, index int, target Target) error {
	tids := target.Threads
	if len(tids) == 0 {
		var err error
		if tids, err = threadsOf(target.PID); err != nil {
			return err
		}
	}
	for _, tid := range tids {
		thread, err := openThread(open, tid)
		if err != nil {
			return fmt.Errorf("thread %d of process %d: %w", tid, target.PID, err)
		}
		thread.target = index
		f.threads = append(f.threads, thread)
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
func (f *follower) Start() error {
	for _, thread := range f.threads {
		if err := thread.noteUnderWay(f.targets[thread.target].PID); err != nil {
			return err
		}
	}
	f.collector.Go(f.collect)
	return f.each(func(thread *followed) error { return thread.control(unix.PERF_EVENT_IOC_ENABLE) })
}

// stop ends the pass, with the threads at rest again; then their logs are whole.
func (f *follower) stop() error {
	err := f.each(func(thread *followed) error { return thread.control(unix.PERF_EVENT_IOC_DISABLE) })
	if err = errors.Join(err, f.endCollector()); err != nil {
		return err
	}
	return f.sameThreads()
}

// sameThreads makes sure that nothing was missed because its thread is new.
func (f *follower) sameThreads() error {
	for i, target := range f.targets {
		if len(target.Threads) > 0 {
			continue
		}
		now, err := threadsOf(target.PID)
		if err != nil {
			return err
		}
		for _, tid := range now {
			if !slices.ContainsFunc(f.threads, func(had *followed) bool {
				return had.target == i && had.tid == tid
			}) {
				return fmt.Errorf("process %d: %w", target.PID, ErrNewThread)
			}
		}
	}
	return nil
}

// Close lets go of everything, whether the pass ran or not. It is idempotent.
func (f *follower) Close() error {
	if f.halt < 0 {
		return nil
	}
	err := f.endCollector()
	err = errors.Join(err, f.each((*followed).close), unix.Close(f.halt))
	f.threads, f.halt = nil, -1
	return err
}

func (f *follower) each(do func(*followed) error) error {
	var errs []error
	for _, thread := range f.threads {
		errs = append(errs, do(thread))
	}
	return errors.Join(errs...)
}

// endCollector makes the collector drain the rings a last time and return.
func (f *follower) endCollector() error {
	_, err := unix.Write(f.halt, binary.NativeEndian.AppendUint64(nil, 1))
	f.collector.Wait()
	return err
}

// collect empties the rings as they fill, until halt says that it was the last
// time.
func (f *follower) collect() {
	polled := []unix.PollFd{{Fd: int32(f.halt), Events: unix.POLLIN}}
	for _, thread := range f.threads {
		polled = append(polled, unix.PollFd{Fd: int32(thread.events[0]), Events: unix.POLLIN})
	}
	for halted := false; !halted; {
		if _, err := unix.Poll(polled, -1); err != nil && err != unix.EINTR {
			return
		}
		halted = polled[0].Revents != 0
		for i, thread := range f.threads {
			more := thread.drain()
			if !more || polled[i+1].Revents&unix.POLLHUP != 0 {
				polled[i+1].Fd = -1
			}
		}
	}
}

package evidence

import (
	"errors"
	"fmt"
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

// Tracer follows the system calls of threads of other processes, for one pass:
// Attach, Start, Stop, Close. It belongs to one goroutine.
type Tracer struct {
	*follower
	points tracepoints
}

// Attach prepares to follow the targets. It fails with an error that wraps
// fs.ErrPermission where tracing is not permitted, errors.ErrUnsupported where
// the kernel has no tracepoints. Close the tracer in the end.
func Attach(targets ...Target) (*Tracer, error) {
	points, err := probe()
	if err != nil {
		return nil, fmt.Errorf("tracepoints: %w", err)
	}
	f, err := follow(points.open, targets)
	if err != nil {
		return nil, err
	}
	return &Tracer{f, points}, nil
}

// Stop ends the pass, with the threads at rest again, and accounts for what
// they called. It fails if any call was missed.
func (t *Tracer) Stop() (*Account, error) {
	if err := t.stop(); err != nil {
		return nil, err
	}
	account := newAccount(t.targets)
	for _, thread := range t.threads {
		calls, err := t.points.calls(thread)
		if err != nil {
			return nil, fmt.Errorf("thread %d: %w", thread.tid, err)
		}
		account.add(t.targets[thread.target], calls)
	}
	return account, nil
}

package party

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

// Layout of the memory in which a worker keeps what its calls point to.
const (
	argOffset   = 0
	writeOffset = 4 << 10
	readOffset  = 32 << 10
	workerBytes = 64 << 10
)

// worker is a thread of a party: a goroutine locked to an OS thread, whose
// thread id is its key as a Binder thread.
type worker struct {
	tid    int32
	jobs   chan func()
	begun  atomic.Int64 // number of the latest call that was issued
	ended  atomic.Int64 // number of the latest call that returned
	memory uintptr
}

func startWorker() (*worker, error) {
	memory, err := sys.MapFile(-1, workerBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("memory of a thread: %w", err)
	}
	w := &worker{jobs: make(chan func()), memory: memory}
	started := make(chan struct{})
	go func() {
		// Never unlocked: the OS thread ends with the goroutine, so that
		// what a test did to it (its nice value) ends too.
		runtime.LockOSThread()
		w.tid = int32(unix.Gettid())
		close(started)
		for job := range w.jobs {
			job()
		}
		sys.UnmapAt(w.memory, workerBytes)
	}()
	<-started
	return w, nil
}

// run does one call on the thread and waits for its end.
func (w *worker) run(number int64, call func()) {
	done := make(chan struct{})
	w.jobs <- func() {
		w.begun.Store(number)
		call()
		w.ended.Store(number)
		close(done)
	}
	<-done
}

func (w *worker) bytes(offset, n int) []byte { return sys.BytesAt(w.memory+uintptr(offset), n) }

// Looks at a thread and the time between them.
const (
	lookEvery = 200 * time.Microsecond
	looks     = 3
)

// blocked waits until the call with the number sleeps in the kernel, and says
// false if it returned instead. A call that has been seen asleep several
// times in a row has nothing to do but wait for somebody else.
func (w *worker) blocked(number int64) (bool, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return false, err
	}
	for asleep := 0; asleep < looks; time.Sleep(lookEvery) {
		if w.ended.Load() >= number {
			return false, nil
		}
		thread, err := fs.Thread(os.Getpid(), int(w.tid))
		if err != nil {
			return false, err
		}
		stat, err := thread.Stat()
		if err != nil {
			return false, err
		}
		if w.begun.Load() == number && stat.State == "S" {
			asleep++
		} else {
			asleep = 0
		}
	}
	return true, nil
}

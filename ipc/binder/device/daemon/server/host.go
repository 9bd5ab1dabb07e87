package server

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/driver"
	"ipcbench/ipc/binder/driver/arena"
)

// host is what the driver gets from the daemon.
type host struct {
	raw     bool
	pool    *pool
	regions regions
	files   files
	// parked are the threads by the words that they would sleep on.
	parked sync.Map // *atomic.Uint32 to *thread
}

var _ driver.Host = (*host)(nil)

func (h *host) Commit(int64) error                     { return nil }
func (h *host) Dead(arena.Slot) (dead bool, calls int) { return false, 0 }

func (h *host) Wait(w *atomic.Uint32, v uint32, d time.Duration) bool {
	if h.raw {
		return sys.RawFutexWait(w, v, d) == unix.EINTR
	}
	return sys.FutexWait(w, v, d) == unix.EINTR
}

// Wake implements driver.Host.
func (h *host) Wake(w *atomic.Uint32, n int) (calls int) {
	ended, calls := h.wake(w, n)
	if ended != nil {
		h.pool.assign(ended, &h.pool.more)
	}
	return calls
}

// wake ends the call of a parked thread then and there, in the waker, which is to
// serve the thread that it gets; any other sleeper is in a futex.
func (h *host) wake(w *atomic.Uint32, n int) (next *thread, calls int) {
	if t, ok := h.parked.Load(w); ok {
		if next, ok := t.(*thread).wake(); ok {
			return next, 0
		}
	}
	sys.FutexWake(w, n)
	return nil, 1
}

func (h *host) Window(id driver.ProcID, length int) ([]byte, error) { return h.regions.window(id) }
func (h *host) Forget(id driver.ProcID)                             { h.regions.forget(id) }

func (h *host) Populate(id driver.ProcID, offset, length int64) error {
	return h.regions.populate(id, offset, length)
}

// Punch does nothing: a sealed file keeps its pages.
func (h *host) Punch(driver.ProcID, int64, int64) {}

func (h *host) DropFile(_ driver.Owner, key driver.FileKey) { h.files.drop(key) }

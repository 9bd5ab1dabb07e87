package local

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

// longest is how long a wait without end sleeps at a time. Go installs its
// signal handlers with SA_RESTART, under which the kernel goes on with a futex
// wait after a signal unless the wait has a limit.
const longest = time.Hour

// Wait is arena.Host's, through the Go scheduler.
func Wait(word *atomic.Uint32, value uint32, timeout time.Duration) (interrupted bool) {
	if timeout < 0 {
		timeout = longest
	}
	return sys.FutexWait(word, value, timeout) == unix.EINTR
}

package sys

import (
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// TestPreemptionInterrupts: a thread that sleeps raw and without end does not
// keep others from stopping the world.
func TestPreemptionInterrupts(t *testing.T) {
	if err := LetPreemptionInterrupt(); err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var word atomic.Uint32
	ended := make(chan struct{})
	asleep := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		close(asleep)
		for word.Load() == 0 {
			if err := RawFutexWait(&word, 0, -1); err != nil && err != unix.EINTR && err != unix.EAGAIN {
				t.Error(err)
			}
		}
	}()
	<-asleep
	for range 20 {
		runtime.GC()
	}
	word.Store(1)
	FutexWake(&word, 1)
	<-ended
}

package transporttest

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// possessions are what a process must not have more of after a test.
type possessions struct {
	things     map[string]int
	goroutines int
}

func take(s Subject) possessions {
	p := possessions{things: map[string]int{}, goroutines: runtime.NumGoroutine()}
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		target, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name()))
		// The runtime keeps its poller for good.
		if err == nil && !strings.HasPrefix(target, "anon_inode:[event") {
			p.things["descriptor "+fd.Name()]++
		}
	}
	if s.Objects != nil {
		for _, object := range s.Objects() {
			p.things[object]++
		}
	}
	return p
}

// expectNoMoreThan waits until nothing has come to what was there before.
func expectNoMoreThan(t *testing.T, s Subject, before possessions) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		now := take(s)
		more := maps.Clone(now.things)
		for thing := range before.things {
			delete(more, thing)
		}
		if len(more) == 0 && now.goroutines <= before.goroutines {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("left behind: %v, and %d goroutines", more, now.goroutines-before.goroutines)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

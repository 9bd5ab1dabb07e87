// Package leakcheck tells a test what it left behind: descriptors, child
// processes, goroutines, and kernel objects that the test can name.
//
// Tests of other packages run at the same time and make objects of their own.
// So it looks at what belongs to this process alone, and takes queues, segments
// and files from the caller, who knows which of them are its own.
package leakcheck

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is how long what is on its way out may take to go.
const patience = 5 * time.Second

// Expect fails the test if, when it and its later clean-ups are over, the
// process has more than now. objects, if not nil, names the kernel objects of
// the test's kind that this process has made and not removed. Tests that run in
// parallel with others of their package cannot use it.
func Expect(t testing.TB, objects func() []string) {
	t.Helper()
	before := take(objects)
	t.Cleanup(func() {
		t.Helper()
		deadline := time.Now().Add(patience)
		more := take(objects).beyond(before)
		for len(more) > 0 && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
			more = take(objects).beyond(before)
		}
		if len(more) > 0 {
			t.Errorf("left behind: %s", strings.Join(more, ", "))
		}
	})
}

// possessions are what a process has: things by name, goroutines by number.
type possessions struct {
	things     []string
	goroutines int
}

func take(objects func() []string) possessions {
	p := possessions{goroutines: runtime.NumGoroutine()}
	p.things = append(descriptors(), children()...)
	if objects != nil {
		p.things = append(p.things, objects()...)
	}
	return p
}

// beyond lists what p has and another has not.
func (p possessions) beyond(other possessions) []string {
	more := slices.DeleteFunc(p.things, func(thing string) bool { return slices.Contains(other.things, thing) })
	if n := p.goroutines - other.goroutines; n > 0 {
		more = append(more, fmt.Sprintf("%d goroutines", n))
	}
	return more
}

// descriptors lists those of the process, except the ones that the Go runtime
// opens for its poller, at some time, and keeps.
func descriptors() (all []string) {
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join("/proc/self/fd", entry.Name()))
		if err == nil && !strings.HasPrefix(target, "anon_inode:[event") {
			all = append(all, fmt.Sprintf("descriptor %s (%s)", entry.Name(), target))
		}
	}
	return all
}

// children lists child processes, also dead ones that nobody has waited for.
func children() (all []string) {
	lists, _ := filepath.Glob("/proc/self/task/*/children")
	for _, list := range lists {
		pids, _ := os.ReadFile(list)
		for pid := range strings.FieldsSeq(string(pids)) {
			all = append(all, "process "+pid)
		}
	}
	return all
}

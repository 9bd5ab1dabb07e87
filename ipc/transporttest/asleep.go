package transporttest

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// awaitAsleep waits until the thread of a child that said it would call is
// asleep: blocked in that call, since it does nothing else.
func (c *child) awaitAsleep(t *testing.T) {
	t.Helper()
	line, err := c.out.ReadString('\n')
	tid, e := strconv.Atoi(strings.TrimPrefix(strings.TrimSpace(line), "calling "))
	if err != nil || e != nil {
		t.Fatalf("the child said %q: %v", line, err)
	}
	awaitState(t, c.cmd.Process.Pid, tid, 'S')
}

// stop stops the child's threads, for as long as it lives.
func (c *child) stop(t *testing.T) {
	t.Helper()
	pid := c.cmd.Process.Pid
	if err := c.cmd.Process.Signal(unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		tid, _ := strconv.Atoi(task.Name())
		awaitState(t, pid, tid, 'T')
	}
}

// awaitState waits until a thread is in a state, by the letter that proc(5)
// gives it.
func awaitState(t *testing.T, pid, tid int, want byte) {
	t.Helper()
	var state byte
	for deadline := time.Now().Add(patience); state != want; time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/stat", pid, tid))
		if err != nil {
			t.Fatal(err)
		}
		// The state follows the name, which is in brackets.
		state = stat[bytes.LastIndexByte(stat, ')')+2]
		if state != want && time.Now().After(deadline) {
			t.Fatalf("thread %d is in state %c, not %c", tid, state, want)
		}
	}
}

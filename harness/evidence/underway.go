package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// noteUnderWay remembers which call a thread is in, so that its return has an
// entry to be paired with.
func (t *followed) noteUnderWay(pid int) error {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/syscall", pid, t.tid))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no such file in this kernel, or the thread has ended
	}
	if err != nil {
		return fmt.Errorf("thread %d: the call it is in: %w", t.tid, err)
	}
	t.underWay = parseUnderWay(string(text))
	return nil
}

// parseUnderWay reads a line of /proc/PID/task/TID/syscall (proc_pid_syscall(5)):
// the call's number, its six arguments, stack and program counter. A thread that
// runs, or is blocked in no call, is nil.
func parseUnderWay(line string) *done {
	fields := strings.Fields(line)
	if len(fields) != 9 {
		return nil
	}
	nr, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return nil
	}
	d := &done{nr: nr}
	for i := range d.args {
		argument, err := strconv.ParseUint(fields[1+i], 0, 64)
		if err != nil {
			return nil
		}
		d.args[i] = int64(argument)
	}
	return d
}

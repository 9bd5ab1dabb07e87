package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/harness"
	"ipcbench/internal/alone"
	"ipcbench/results"
)

// TestKilledWorkerLeavesNothing kills workers of the command, any one at any
// time, and expects a clear error, what was measured, and nothing else.
func TestKilledWorkerLeavesNothing(t *testing.T) {
	alone.Run(t, 256<<20, func(t *testing.T) {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			t.Fatal(err)
		}
		kills := 2
		if os.Getenv("IPCBENCH_LONG") != "" {
			kills = 20
		}
		objects := alone.Objects(t)
		for range kills {
			killOne(t, time.Duration(rand.Int64N(int64(2*time.Second))), objects)
		}
		// By some time every cell has had many turns, later on a busy machine.
		kept := 0
		for after := 4 * time.Second; kept == 0 && after < time.Minute; after *= 2 {
			kept = killOne(t, after, objects)
		}
		if kept == 0 {
			t.Error("no run kept what it had measured")
		}
	})
}

// killOne kills one worker of one run some time after the first worker began, and
// returns how many cells the run kept.
func killOne(t *testing.T, after time.Duration, objects func() []string) (cells int) {
	t.Helper()
	dir, temporary := t.TempDir(), t.TempDir()
	output := filepath.Join(dir, "result.json")
	var stderr bytes.Buffer
	run := exec.Command("/proc/self/exe", "run", "--transport", "*", "--size", "64,64K",
		"--generations", "1", "--rounds", "100000", "--round-time", "1ms", "--format", "json", "-o", output)
	run.Args[0] = "ipcbench"
	run.Env = append(os.Environ(), "TMPDIR="+temporary)
	run.Stderr = &stderr
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Wait() }()
	victim := pickWorker(t, run.Process.Pid, after)
	unix.Kill(victim, unix.SIGKILL)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		run.Process.Kill()
		<-ended
		t.Fatalf("worker %d was killed after %v, and the run goes on", victim, after)
	}
	said := stderr.String()
	if status := run.ProcessState.ExitCode(); status != exitError {
		t.Errorf("killed after %v: exit status %d, want %d: %s", after, status, exitError, said)
	}
	if strings.Count(said, "\n") != 1 || !strings.Contains(said, harness.ErrWorker.Error()) || !strings.Contains(said, fmt.Sprintf("(pid %d) died: signal: killed", victim)) {
		t.Errorf("killed %d after %v: the command said %q", victim, after, said)
	}
	expectNothing(t, objects, temporary)
	cells = keptCells(t, dir, output)
	t.Logf("killed after %v: %d cells kept: %s", after, cells, said)
	return cells
}

// pickWorker waits for the first worker and a time from then on, and picks one.
func pickWorker(t *testing.T, pid int, after time.Duration) int {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for len(workersOf(pid)) == 0 {
		if time.Now().After(deadline) {
			t.Fatal("no worker was started")
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(after) // any moment is right
	workers := workersOf(pid)
	if len(workers) == 0 {
		t.Fatal("the run has no worker left")
	}
	return workers[rand.IntN(len(workers))]
}

// workersOf lists the children of a process that are workers by now.
func workersOf(pid int) (all []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for field := range strings.FieldsSeq(string(text)) {
			line, _ := os.ReadFile("/proc/" + field + "/cmdline")
			var child int
			if strings.Contains(string(line), harness.WorkerArgument) {
				fmt.Sscan(field, &child)
				all = append(all, child)
			}
		}
	}
	return all
}

// expectNothing waits until no process of the run, no object and no temporary
// file is left.
func expectNothing(t *testing.T, objects func() []string, temporary string) {
	t.Helper()
	var left []string
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		files, _ := filepath.Glob(temporary + "/*")
		left = slices.Concat(objects(), files)
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid > 0 || err == nil {
			left = append(left, "a process")
		} else if !errors.Is(err, syscall.ECHILD) {
			t.Fatal(err)
		}
		if len(left) == 0 || time.Now().After(deadline) {
			break
		}
	}
	if len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, ", "))
	}
}

// keptCells reads the run's output, the only file in its folder, and returns how
// many cells it has.
func keptCells(t *testing.T, dir, output string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		return 0 // killed before the first cell had its turn
	}
	if len(entries) > 1 {
		t.Errorf("%d files in the folder of the output", len(entries))
	}
	r, err := results.ReadFile(output)
	if err != nil {
		t.Fatal(err)
	}
	if r.Incomplete == "" {
		t.Error("the result does not say that it is incomplete")
	}
	return len(r.Cells)
}

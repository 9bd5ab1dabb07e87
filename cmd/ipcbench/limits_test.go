package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/internal/alone"
	"ipcbench/internal/child"
	"ipcbench/results"
)

// stranger is a user that has nothing yet of what the system counts by user.
const stranger = 54321

// TestLimits measures as a user who has little: each cell is made to fit or
// skipped with the reason.
func TestLimits(t *testing.T) {
	t.Run("no message queues", func(t *testing.T) {
		alone.Run(t, 64<<20, func(t *testing.T) {
			limitQueues(t, 0)
			r := measureAsStranger(t, "posix-mq*,pipe")
			expectSkipped(t, r, "posix-mq", "RLIMIT_MSGQUEUE 0")
		})
	})
	t.Run("few message queues", func(t *testing.T) {
		alone.Run(t, 64<<20, func(t *testing.T) {
			limitQueues(t, 20<<10)
			expectMeasured(t, measureAsStranger(t, "posix-mq*"), "posix-mq")
		})
	})
	t.Run("no pipe pages", func(t *testing.T) {
		alone.Run(t, 64<<20, func(t *testing.T) {
			defer exhaustPipes(t)()
			r := measureAsStranger(t, "pipe*,fifo*")
			for _, name := range []string{"pipe", "fifo", "pipe-syscall", "pipe-netpoll"} {
				expectMeasured(t, r, name)
			}
		})
	})
	for _, bytes := range []int{64 << 10, 6 << 20} {
		t.Run(fmt.Sprintf("dev shm of %d KiB", bytes>>10), func(t *testing.T) {
			alone.Run(t, bytes, func(t *testing.T) {
				r := measureAsStranger(t, "binder*,shm*,pipe")
				expectSkipped(t, r, "binder", "no space left on /dev/shm")
				expectMeasured(t, r, "shm")
			})
		})
	}
}

func limitQueues(t *testing.T, bytes uint64) {
	t.Helper()
	if err := unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &unix.Rlimit{Cur: bytes, Max: bytes}); err != nil {
		t.Fatal(err)
	}
}

// asStranger is a command of this binary, run by another user, who has to be able
// to reach it.
func asStranger(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "ipcbench-stranger-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, name)
	if err := errors.Join(os.WriteFile(program, binary, 0o755), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, args...)
	c.Args[0], c.Dir = name, "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
	return c
}

// measureAsStranger runs the command for all that the patterns match.
func measureAsStranger(t *testing.T, patterns string) *results.Result {
	t.Helper()
	run := asStranger(t, "ipcbench", "run", "--transport", patterns, "--size", "64,64K",
		"--generations", "1", "--rounds", "2", "--round-time", "1ms", "--format", "json")
	var said strings.Builder
	run.Stderr = &said
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	file := filepath.Join(t.TempDir(), "result.json")
	if err := os.WriteFile(file, out, 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := results.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func expectMeasured(t *testing.T, r *results.Result, transport string) {
	t.Helper()
	cells := 0
	for _, c := range r.Cells {
		if c.Transport != transport {
			continue
		}
		cells++
		if c.Operations == 0 || c.VerifiedOperations == 0 {
			t.Errorf("%s %d B: %d operations, %d verified", transport, c.RequestBytes, c.Operations, c.VerifiedOperations)
		}
	}
	if cells != 2 {
		t.Errorf("%s: %d cells, want 2; skipped: %v", transport, cells, r.Skipped)
	}
}

func expectSkipped(t *testing.T, r *results.Result, transport, reason string) {
	t.Helper()
	for _, c := range r.Cells {
		if c.Transport == transport {
			t.Errorf("%s %d B was measured", transport, c.RequestBytes)
		}
	}
	for _, s := range r.Skipped {
		if s.Transport == transport && s.Reason != "" && strings.Contains(s.Reason, reason) {
			t.Log(s)
			return
		}
	}
	t.Errorf("%s is not skipped for %q: %v", transport, reason, r.Skipped)
}

// exhaustPipes has the other user hold pipes until no more pages are allowed.
func exhaustPipes(t *testing.T) (release func()) {
	t.Helper()
	holder, err := child.Start(asStranger(t, "hold-pipes"))
	if err != nil {
		t.Fatal(err)
	}
	line, err := holder.Out.ReadString('\n')
	if err != nil {
		holder.Kill()
		t.Fatalf("hold pipes: %q, %v", line, err)
	}
	t.Log(line)
	return func() { _, _ = holder.End() }
}

// holdPipes takes all pipe pages that its user is allowed, until its standard
// input ends.
func holdPipes() {
	var pipe [2]int
	for n := 0; ; n++ {
		if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(exitError)
		}
		size, _ := unix.FcntlInt(uintptr(pipe[0]), unix.F_GETPIPE_SZ, 0)
		if size < 1<<16 { // what the kernel gives to who has too many pages
			fmt.Printf("%d pipes, the last of %d bytes\n", n, size)
			break
		}
		for want := 1 << 20; want > size; want /= 2 {
			if _, err := unix.FcntlInt(uintptr(pipe[0]), unix.F_SETPIPE_SZ, want); err == nil {
				break
			}
		}
	}
	io.Copy(io.Discard, os.Stdin)
}

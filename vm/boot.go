package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// job is what the machine does before it switches itself off.
type job struct {
	Args []string // the program, and its arguments
	Dir  string   // where it runs, and may write
	Home string   // where its exit status is left
}

// Names in the directory that host and machine share, and the variable that
// tells the machine's first process where that is.
const (
	jobVariable = "IPCBENCH_VM_JOB"
	jobFile     = "job.json"
	statusFile  = "status"
)

// statusError is the exit status of the job.
type statusError int

func (e statusError) Error() string { return "the program ended with status " + strconv.Itoa(int(e)) }

// exitStatus passes the job's own on.
func exitStatus(err error) int {
	var status statusError
	if errors.As(err, &status) {
		return int(status)
	}
	return 2
}

// boot starts the machine, lets it do the job, and waits until it is off.
func boot(ctx context.Context, o options, j job) error {
	kernel := o.kernel
	if kernel == "" {
		built, err := builtKernel(ctx, o.source)
		if err != nil {
			return err
		}
		kernel = built
	}
	return inWorkDir(func(home string) error {
		j.Home = home
		if err := store(j); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		if err := start(ctx, kernel, o.memory, home); err != nil {
			return err
		}
		return status(home)
	})
}

func store(j job) error {
	b, err := json.Marshal(j)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(j.Home, jobFile), b, 0o644)
}

// start runs the kernel. Its root is the host's, read-only; its first process
// is this program. Terminal 0 is standard output, for the job alone; the
// kernel's messages go to standard error, and are shown if it fails.
func start(ctx context.Context, kernel, memory, home string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, kernel, "mem="+memory, "uml_dir="+home,
		"con=null", "con0=null,fd:1", "console=tty1", "stderr=1", "panic=-1", "lsm=selinux",
		"root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "init="+self, jobVariable+"="+home)
	// Without this a 6.12 kernel stops: the C library's restartable sequences
	// take the signal that it waits for.
	cmd.Env = append(os.Environ(), "GLIBC_TUNABLES=glibc.pthread.rseq=0")
	var messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = os.Stdout, &messages
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	if cmd.Process != nil {
		// The kernel makes a session of its own. A helper of a 6.1 kernel was
		// seen to outlive it, asleep for ever with our standard output.
		unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("the machine: %w\n%s", errors.Join(err, ctx.Err()), messages.String())
	}
	return nil
}

func status(home string) error {
	text, err := os.ReadFile(filepath.Join(home, statusFile))
	if err != nil {
		return fmt.Errorf("the machine went off before its job was done: %w", err)
	}
	n, err := strconv.Atoi(string(text))
	switch {
	case err != nil:
		return errors.New(string(text))
	case n != 0:
		return statusError(n)
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"ipcbench/internal/sys"
)

// job is what the machine does before it switches itself off.
type job struct {
	Args     []string // the program, and its arguments
	Dir      string   // where it runs, and may write
	Home     string   // where its exit status is left
	Terminal bool     // its output goes to a terminal of the host
}

// Names in the directory that host and machine share, and the variables that
// tell the machine's first process where that is, and in which machine it runs.
const (
	jobVariable     = "IPCBENCH_VM_JOB"
	machineVariable = "IPCBENCH_VM_MACHINE"
	jobFile         = "job.json"
	startedFile     = "started"
	statusFile      = "status"
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
	m, err := newMachine(ctx, o)
	if err != nil {
		return err
	}
	return inWorkDir(func(home string) error {
		j.Home, j.Terminal = home, sys.IsTerminal(os.Stdout)
		if err := store(j); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		if err := m.start(ctx, j); err != nil {
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

// leaveStatus ends the job with its exit status, or with what went wrong.
func leaveStatus(home, status string) error {
	return os.WriteFile(filepath.Join(home, statusFile), []byte(status), 0o644)
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

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"ipcbench/ipc/binder/devicetest"
)

// testOptions are the flags of the conformance run.
type testOptions struct {
	results  string
	parity   string
	packages []string
	verbose  bool
}

// runTest runs the conformance suite on every device, then on the real driver
// of each further package, and prints rows by devices.
func runTest(ctx context.Context, o options, test testOptions) error {
	return inWorkDir(func(dir string) error {
		binary := filepath.Join(dir, "devicetest.test")
		if err := goBuild(ctx, "test", "-c", "-o", binary, "ipcbench/ipc/binder/devicetest"); err != nil {
			return err
		}
		args := []string{binary, "-results", dir}
		if test.verbose {
			args = append(args, "-test.v")
		}
		ran := boot(ctx, o, job{Args: args, Dir: dir})
		for _, o.source = range test.packages {
			o.machine, o.kernel = machineFor(o.source), ""
			ran = errors.Join(ran, boot(ctx, o, job{Args: append(args, "-test.run=^TestKernel$"), Dir: dir}))
		}
		stored, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(stored) == 0 {
			return errors.Join(ran, errors.New("the run left no results"))
		}
		return errors.Join(ran, report(stored, test))
	})
}

// columns is the order of the devices in the table.
var columns = []string{"inproc", "shared", "daemon", "kernel"}

// report prints the stored results and puts them where the flags say.
func report(stored []string, test testOptions) error {
	var all []devicetest.Results
	for _, path := range stored {
		r, err := devicetest.Read(path)
		if err != nil {
			return err
		}
		all = append(all, r)
		if test.results != "" {
			if err := r.Write(test.results); err != nil {
				return err
			}
		}
	}
	slices.SortStableFunc(all, func(a, b devicetest.Results) int {
		return slices.Index(columns, a.Device) - slices.Index(columns, b.Device)
	})
	table := devicetest.Table(all...)
	fmt.Print(table)
	if test.parity == "" {
		return nil
	}
	return updateDocument(test.parity, table)
}

// Marks between which a document holds the table.
const (
	tableBegin = "<!-- table: go run ./vm --also linux-source-6.1,linux-image-amd64 --parity docs/binder-parity.md -->\n"
	tableEnd   = "<!-- end of table -->\n"
)

func updateDocument(path, table string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		return fmt.Errorf("%s: no marks around a table", path)
	}
	return os.WriteFile(path, []byte(before+tableBegin+"\n"+table+"\n"+tableEnd+after), 0o644)
}

// runIpcbench builds the command and runs it in the current directory, where
// it may write.
func runIpcbench(ctx context.Context, o options, args []string) error {
	return inWorkDir(func(dir string) error {
		binary := filepath.Join(dir, "ipcbench")
		if err := goBuild(ctx, "build", "-o", binary, "ipcbench/cmd/ipcbench"); err != nil {
			return err
		}
		return runProgram(ctx, o, append([]string{binary}, args...))
	})
}

// runClaims has the command judge the claims.
func runClaims(ctx context.Context, o options, args []string) error {
	return runIpcbench(ctx, o, append([]string{"claims"}, args...))
}

// runPackage builds the tests of a package and runs them.
func runPackage(ctx context.Context, o options, args []string) error {
	if len(args) == 0 {
		return errors.New("no package to test")
	}
	return inWorkDir(func(dir string) error {
		binary := filepath.Join(dir, "package.test")
		if err := goBuild(ctx, "test", "-c", "-o", binary, args[0]); err != nil {
			return err
		}
		return runProgram(ctx, o, append([]string{binary}, args[1:]...))
	})
}

// runProgram runs a program of the host in the current directory.
func runProgram(ctx context.Context, o options, args []string) error {
	if len(args) == 0 {
		return errors.New("no program to run")
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	return boot(ctx, o, job{Args: append([]string{path}, args[1:]...), Dir: dir})
}

func inWorkDir(do func(dir string) error) error {
	dir, err := os.MkdirTemp("", "ipcbench-vm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	return do(dir)
}

// goBuild runs the go command for a program that needs no shared libraries.
func goBuild(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go %s: %w", args[0], err)
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// machine runs a kernel whose first process is this program.
type machine interface {
	// start runs the machine until it is off. The directory of the job is
	// j.Home; the machine can write there and in j.Dir. The job's standard
	// output and error become this process's standard output.
	start(ctx context.Context, j job) error
}

// The machines, and the packages that their kernels come from: ready-made
// user-mode kernels are built without Binder, so one is made from its source.
const (
	umlMachine  = "uml"
	qemuMachine = "qemu"
	hostMachine = "host"

	sourcePrefix = "linux-source-"
	imagePrefix  = "linux-image-"

	defaultSource = sourcePrefix + "6.12"
	defaultImage  = imagePrefix + "amd64"
)

// newMachine is the machine that the flags describe, with its kernel at hand.
func newMachine(ctx context.Context, o options) (machine, error) {
	if o.machine == "" {
		o.machine = machineFor(o.source)
	}
	switch o.machine {
	case umlMachine:
		return newUML(ctx, o)
	case qemuMachine:
		return newQEMU(ctx, o)
	case hostMachine:
		return host{}, nil
	}
	return nil, fmt.Errorf("no machine %q: there are %s, %s and %s", o.machine, umlMachine, qemuMachine, hostMachine)
}

// machineFor is the machine that boots a package's kernel.
func machineFor(source string) string {
	if strings.HasPrefix(source, imagePrefix) {
		return qemuMachine
	}
	return umlMachine
}

// host is no machine at all: the job runs here.
type host struct{}

func (host) start(ctx context.Context, j job) error {
	cmd := exec.CommandContext(ctx, j.Args[0], j.Args[1:]...)
	cmd.Dir = j.Dir
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		return err
	}
	return leaveStatus(j.Home, strconv.Itoa(cmd.ProcessState.ExitCode()))
}

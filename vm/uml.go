package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
)

// uml is user-mode Linux: the kernel as a program.
type uml struct {
	kernel string
	memory string
}

func newUML(ctx context.Context, o options) (machine, error) {
	if len(o.modules) > 0 || o.initrd != "" || o.accel != "" {
		return nil, errors.New("--module, --initrd and --accel are for --machine " + qemuMachine)
	}
	kernel := o.kernel
	if kernel == "" {
		built, err := builtKernel(ctx, cmp.Or(o.source, defaultSource))
		if err != nil {
			return nil, err
		}
		kernel = built
	}
	return uml{kernel, o.memory}, nil
}

// start runs the kernel. Its root is the host's, read-only; its first process
// is this program. Terminal 0 is standard output, for the job alone; the
// kernel's messages go to standard error, and are shown if it fails.
func (m uml) start(ctx context.Context, j job) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, m.kernel, "mem="+m.memory, "uml_dir="+j.Home,
		"con=null", "con0=null,fd:1", "console=tty1", "stderr=1", "panic=-1", "lsm=selinux",
		"root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", "init="+self,
		jobVariable+"="+j.Home, machineVariable+"="+umlMachine)
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

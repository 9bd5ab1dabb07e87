package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device/kernel"
)

// guestJob is the directory of the job if this is the first process of the
// machine.
func guestJob() (home string, ok bool) {
	if os.Getpid() != 1 {
		return "", false
	}
	return os.LookupEnv(jobVariable)
}

// beInit is the machine's life: it prepares the system, does the job, leaves
// its exit status or what went wrong, and switches off.
func beInit(home string) {
	left := ""
	if n, err := live(home); err != nil {
		left = "in the machine: " + err.Error()
	} else {
		left = strconv.Itoa(n)
	}
	// Where the host's files could not be had, the console is all there is.
	if err := leaveStatus(home, left); err != nil {
		fmt.Fprintf(os.Stderr, "vm: %s: %v\n", left, err)
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func live(home string) (status int, err error) {
	inside := insides[os.Getenv(machineVariable)]
	if err := inside.enter(); err != nil {
		return 0, err
	}
	if err := mountAll(); err != nil {
		return 0, err
	}
	if err := inside.mount(homeTag, home); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(home, startedFile), nil, 0o644); err != nil {
		return 0, err
	}
	b, err := os.ReadFile(filepath.Join(home, jobFile))
	if err != nil {
		return 0, err
	}
	var j job
	if err := json.Unmarshal(b, &j); err != nil {
		return 0, err
	}
	if err := errors.Join(inside.mount(dirTag, j.Dir), loopbackUp()); err != nil {
		return 0, err
	}
	return do(j, inside.terminal)
}

// inside is what the first process sees of a machine.
type inside struct {
	// enter makes the host's files, read-only, the root.
	enter func() error
	// mount makes a directory of the host writable, at its own path.
	mount func(tag, dir string) error
	// terminal is the one that is the host's standard output.
	terminal string
}

// insides are the machines, as they are called outside.
var insides = map[string]inside{
	umlMachine: {
		enter:    func() error { return nil }, // the kernel did
		mount:    mountHostfs,
		terminal: "/dev/tty0",
	},
	qemuMachine: {enterHost, mountShare, "/dev/hvc0"},
}

// mountAll mounts what a system has. Where the host's tree lacks a mount
// point, /run, which is memory, takes its place.
func mountAll() error {
	for _, m := range []struct{ kind, dir string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/dev/shm"}, {"mqueue", "/dev/mqueue"},
		{"devpts", "/dev/pts"}, {"tmpfs", "/run"}, {"debugfs", "/sys/kernel/debug"}, {"selinuxfs", "/sys/fs/selinux"},
	} {
		if _, err := os.Stat(m.dir); err != nil {
			if err := os.Mkdir(m.dir, 0o755); err != nil {
				return err
			}
		}
		if err := unix.Mount(m.kind, m.dir, m.kind, 0, ""); err != nil && !optional(err) {
			return fmt.Errorf("mount %s: %w", m.dir, err)
		}
	}
	if err := os.Chmod("/dev/shm", 0o1777); err != nil {
		return err
	}
	// A kernel without binderfs has the nodes that its module was loaded with.
	if err := kernel.Mount(kernel.DefaultMount); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return openNodes()
}

// optional says that a kernel was built without the file system.
func optional(err error) bool { return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) }

// mountHostfs mounts a directory of a user-mode kernel's host.
func mountHostfs(_, dir string) error {
	if err := unix.Mount("none", dir, "hostfs", 0, dir); err != nil {
		return fmt.Errorf("mount the host's %s: %w", dir, err)
	}
	return nil
}

// loopbackUp switches the loopback interface on.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}

// output is a terminal, set to pass bytes as they are.
func output(path string) (*os.File, error) {
	terminal, err := os.OpenFile(path, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	settings, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	settings.Oflag &^= unix.OPOST
	return terminal, unix.IoctlSetTermios(int(terminal.Fd()), unix.TCSETS, settings)
}

// do runs the job's program and returns its exit status.
func do(j job, terminalPath string) (status int, err error) {
	cmd := exec.Command(j.Args[0], j.Args[1:]...)
	cmd.Dir = j.Dir
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/run", "TMPDIR=/run"}
	terminal, err := output(terminalPath)
	if err != nil {
		return 0, err
	}
	cmd.Stdout, cmd.Stderr = terminal, terminal
	if !j.Terminal { // a pipe to it, so that the program knows
		piped := struct{ io.Writer }{terminal}
		cmd.Stdout, cmd.Stderr = piped, piped
	}
	err = errors.Join(cmd.Run(), drain(terminal))
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// drain waits until all that was written has left the terminal, tcdrain(3).
func drain(terminal *os.File) error { return unix.IoctlSetInt(int(terminal.Fd()), unix.TCSBRK, 1) }

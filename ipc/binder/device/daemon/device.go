package daemon

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/daemon/wire"
)

// Name is what the device is called in results and flags.
const Name = "daemon"

// ErrGone says that the daemon died or closed the connection. It wraps
// ECONNREFUSED, upon which the runtime ends its pool. Open works again once
// another daemon listens.
var ErrGone = fmt.Errorf("the binder daemon is gone: %w", unix.ECONNREFUSED)

// DefaultSocket is where a user's daemon listens by default.
func DefaultSocket() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("binder-%d.socket", os.Getuid()))
}

// Options of a device; the zero Options are the usual ones.
type Options struct {
	// Socket is where the daemon listens; DefaultSocket if it is empty. A name
	// that begins with @ is outside the file system.
	Socket string
	// RawWait has threads sleep in a raw system call and without a timer:
	// faster, but a sleeping thread then keeps its processor (GOMAXPROCS) for up
	// to 10 ms, and no signal ends its call. It is for processes that lock their
	// goroutines to threads and have processors to spare.
	RawWait bool
}

// Device is the daemon that listens at a socket.
type Device struct{ options Options }

var (
	_ device.Device = (*Device)(nil)
	_ device.Viewer = (*Device)(nil)
)

// New is the daemon's device. Whether there is a daemon shows when it is opened.
func New(o Options) *Device {
	if o.Socket == "" {
		o.Socket = DefaultSocket()
	}
	return &Device{o}
}

// Name is "daemon".
func (d *Device) Name() string { return Name }

// Socket is where the daemon listens.
func (d *Device) Socket() string { return d.options.Socket }

// Open connects to the daemon and opens a binder_proc there. Errors are those of
// connect(2), EPERM if the daemon may not read this process, ENOMEM, or ErrGone
// if the daemon hangs up, because it is closing or this user has as many
// connections as it may.
func (d *Device) Open(flags int) (device.File, error) {
	f, err := d.open(flags)
	if err != nil {
		return nil, fmt.Errorf("binder daemon at %s: %w", d.options.Socket, err)
	}
	return f, nil
}

func (d *Device) open(flags int) (*File, error) {
	if d.options.RawWait {
		if err := sys.LetPreemptionInterrupt(); err != nil {
			return nil, err
		}
	}
	c, err := dial(d.options.Socket)
	if err != nil {
		return nil, err
	}
	posts, err := c.register(flags)
	if err != nil {
		c.close()
		return nil, err
	}
	return newFile(c, posts, d.options.RawWait), nil
}

// View is described by device.Viewer. The error is EPERM for other users than the
// daemon's.
func (d *Device) View(name string) (string, error) {
	m := wire.Message{Operation: wire.State, A: uint64(slices.Index(wire.Views, name))}
	if pid, ok := strings.CutPrefix(name, "proc/"); ok {
		n, err := strconv.ParseUint(pid, 10, 31)
		if err != nil {
			return "", fmt.Errorf("process %q: %w", pid, os.ErrNotExist)
		}
		m.A, m.B = wire.Process, n
	}
	c, err := dial(d.options.Socket)
	if err != nil {
		return "", fmt.Errorf("binder daemon at %s: %w", d.options.Socket, err)
	}
	defer c.close()
	_, fd, err := c.ask(m, true)
	switch {
	case errors.Is(err, unix.ESRCH):
		return "", fmt.Errorf("process %d has not opened the Binder device: %w", m.B, os.ErrNotExist)
	case errors.Is(err, unix.EINVAL):
		return "", fmt.Errorf("no view %q of a Binder device: %w", name, os.ErrNotExist)
	case err != nil:
		return "", fmt.Errorf("binder daemon at %s: %w", d.options.Socket, err)
	}
	file := os.NewFile(uintptr(fd), "binder-state")
	defer file.Close()
	text, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<30))
	return string(text), err
}

// register allows the daemon to read this process, and makes the binder_proc. It
// returns the socket on which descriptors arrive.
func (c *connection) register(flags int) (posts int, err error) {
	// Where Yama is at work, only who is named here may read this process.
	err = unix.Prctl(unix.PR_SET_PTRACER, uintptr(c.daemon), 0, 0, 0)
	if err != nil && !errors.Is(err, unix.EINVAL) {
		return -1, fmt.Errorf("prctl PR_SET_PTRACER: %w", err)
	}
	probe, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return -1, err
	}
	defer unix.Munmap(probe)
	m := wire.Message{Operation: wire.Open, A: sys.Address(probe), B: 0, Flags: uint64(flags)}
	copy(probe, probeText)
	m.B = probeNumber
	_, posts, err = c.ask(m, true)
	return posts, err
}

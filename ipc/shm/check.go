package shm

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"ipcbench/ipc"
)

// Check implements ipc.Transport: it creates the segments of such a channel and
// removes them, because only the kernel knows its limits and who else
// uses them up.
func (t *transport) Check(cfg ipc.Config) error {
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("%s: %w", t.info.Name, err)
	}
	if t.check != nil {
		if err := t.check(); err != nil {
			return fmt.Errorf("%s: %w", t.info.Name, err)
		}
	}
	if err := checkMemory(cfg.Clients * t.layout(cfg).used); err != nil {
		return fmt.Errorf("%s: %w", t.info.Name, err)
	}
	l, err := t.Create(cfg)
	if err != nil {
		return err
	}
	return l.Close()
}

// checkMemory reports when n bytes are more than the machine has to give.
// Segments are memory, and a first touch beyond it kills somebody.
func checkMemory(n int) error {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return nil // no /proc, no answer
	}
	m, err := fs.Meminfo()
	if err != nil || m.MemAvailableBytes == nil || uint64(n) <= *m.MemAvailableBytes {
		return nil
	}
	return fmt.Errorf("%w: %d MiB of segments, %d MiB of memory available",
		ipc.ErrNoResources, n>>20, *m.MemAvailableBytes>>20)
}

// explain turns an errno into one of the contract's errors, with the limits that
// may be behind it.
func (t *transport) explain(err error, cfg ipc.Config) error {
	need := fmt.Sprintf("%d segments of %d bytes", cfg.Clients, t.layout(cfg).bytes())
	limits := limitsOf("kernel/shmmax", "kernel/shmall", "kernel/shmmni", "kernel/sem")
	switch {
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	case errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%w: %s (%s): %w", ipc.ErrTooLarge, need, limits, err)
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.ENOMEM), errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return fmt.Errorf("%w: %s (%s): %w", ipc.ErrNoResources, need, limits, err)
	}
	return err
}

// limitsOf prints system limits with their names.
func limitsOf(names ...string) string {
	var out []string
	for _, name := range names {
		b, err := os.ReadFile("/proc/sys/" + name)
		if err != nil {
			continue
		}
		out = append(out, name[strings.LastIndex(name, "/")+1:]+" "+strings.Join(strings.Fields(string(b)), " "))
	}
	return strings.Join(out, ", ")
}

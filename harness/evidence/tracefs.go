package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// tracepoints are the two that see every system call.
type tracepoints struct{ enter, exit format }

// probe looks the tracepoints up, once.
var probe = sync.OnceValues(func() (tracepoints, error) {
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		points, err := readTracepoints(os.DirFS(dir))
		if err == nil {
			return points, nil
		}
	}
	return probeUnmounted()
})

// probeUnmounted reads tracefs through a mount that is attached nowhere: nobody
// else sees it, and it is gone with its descriptor.
func probeUnmounted() (tracepoints, error) {
	mount, err := detachedMount("tracefs")
	if err != nil {
		return tracepoints{}, err
	}
	defer unix.Close(mount)
	return readTracepoints(os.DirFS(fmt.Sprintf("/proc/self/fd/%d", mount)))
}

func detachedMount(kind string) (int, error) {
	config, err := unix.Fsopen(kind, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, mountError(kind, err)
	}
	defer unix.Close(config)
	if err := unix.FsconfigCreate(config); err != nil {
		return -1, mountError(kind, err)
	}
	mount, err := unix.Fsmount(config, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY)
	if err != nil {
		return -1, mountError(kind, err)
	}
	return mount, nil
}

func mountError(kind string, err error) error {
	if errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("this kernel has no %s: %w", kind, errors.ErrUnsupported)
	}
	return fmt.Errorf("%s is not mounted, and mounting it: %w", kind, err)
}

func readTracepoints(tracefs fs.FS) (tracepoints, error) {
	enter, err := readFormat(tracefs, "events/raw_syscalls/sys_enter/format", "id", "args")
	if err != nil {
		return tracepoints{}, err
	}
	exit, err := readFormat(tracefs, "events/raw_syscalls/sys_exit/format", "id", "ret")
	return tracepoints{enter, exit}, err
}

func readFormat(tracefs fs.FS, name string, needs ...string) (format, error) {
	text, err := fs.ReadFile(tracefs, name)
	if errors.Is(err, fs.ErrNotExist) {
		return format{}, fmt.Errorf("this kernel has no tracepoints of system calls: %w: %w",
			errors.ErrUnsupported, err)
	}
	if err != nil {
		return format{}, err
	}
	f, err := parseFormat(text)
	if err != nil {
		return format{}, fmt.Errorf("%s: %w", name, err)
	}
	for _, field := range needs {
		if _, ok := f.fields[field]; !ok {
			return format{}, fmt.Errorf("%s: no field %q", name, field)
		}
	}
	return f, nil
}

// open opens an event at the entry and one at the return of a thread's system
// calls.
func (t tracepoints) open(tid int) (events []int, err error) {
	for _, id := range []uint16{t.enter.id, t.exit.id} {
		event, err := openEvent(unix.PerfEventAttr{
			Type: unix.PERF_TYPE_TRACEPOINT, Config: uint64(id), Sample_type: unix.PERF_SAMPLE_RAW}, tid)
		if err != nil {
			return events, err
		}
		events = append(events, event)
	}
	return events, nil
}

// calls reads a thread's log, and holds it against the number of times that the
// kernel says both tracepoints were passed.
func (t tracepoints) calls(thread *followed) ([]done, error) {
	pairs, err := t.pair(thread.log, thread.underWay)
	if err != nil {
		return nil, err
	}
	enters, err := passed(thread.events[0])
	if err != nil {
		return nil, err
	}
	exits, err := passed(thread.events[1])
	if err != nil {
		return nil, err
	}
	if pairs.enters != enters || pairs.exits != exits {
		return nil, fmt.Errorf("%w: %d of %d entries and %d of %d returns seen",
			errLost, pairs.enters, enters, pairs.exits, exits)
	}
	return pairs.calls, nil
}

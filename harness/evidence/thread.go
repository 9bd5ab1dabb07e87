package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

const (
	// ringSize is the room for records between two drains, in bytes.
	ringSize = 512 << 10
	// maxLog bounds the records kept of one thread, in bytes. What comes
	// after stays in the ring until that is full, and is then lost, which
	// ends the pass with an error.
	maxLog = 128 << 20
)

// tracedThread is a thread that is followed: an event at the entry and one at
// the return of its system calls, both into the ring of the first, so that they
// stand in order.
type tracedThread struct {
	target, tid int
	enter, exit int
	ring        *sys.PerfRing
	log         []byte
}

func openThread(points tracepoints, tid int) (*tracedThread, error) {
	t := &tracedThread{tid: tid, enter: -1, exit: -1}
	if err := t.open(points); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (t *tracedThread) open(points tracepoints) (err error) {
	if t.enter, err = openEvent(points.enter.id, t.tid); err != nil {
		return err
	}
	if t.exit, err = openEvent(points.exit.id, t.tid); err != nil {
		return err
	}
	if t.ring, err = sys.MapPerfRing(t.enter, ringSize); err != nil {
		return err
	}
	if err := unix.IoctlSetInt(t.exit, unix.PERF_EVENT_IOC_SET_OUTPUT, t.enter); err != nil {
		return fmt.Errorf("share the perf ring: %w", err)
	}
	return nil
}

// openEvent opens a tracepoint on one thread, on whatever CPU it runs, not yet
// enabled, with a sample for each time it is passed.
func openEvent(id uint16, tid int) (int, error) {
	attr := unix.PerfEventAttr{
		Type:        unix.PERF_TYPE_TRACEPOINT,
		Size:        unix.PERF_ATTR_SIZE_VER5,
		Config:      uint64(id),
		Sample:      1,
		Sample_type: unix.PERF_SAMPLE_RAW,
		Bits:        unix.PerfBitDisabled | unix.PerfBitWatermark,
		Wakeup:      ringSize / 4,
	}
	fd, err := unix.PerfEventOpen(&attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("perf_event_open: %w", err)
	}
	return fd, nil
}

// control sends both events one of the PERF_EVENT_IOC_ requests without an
// argument.
func (t *tracedThread) control(request uint) error {
	return errors.Join(
		unix.IoctlSetInt(t.enter, request, 0),
		unix.IoctlSetInt(t.exit, request, 0))
}

// drain takes what the ring holds, and reports whether there is room for more.
func (t *tracedThread) drain() bool {
	if len(t.log) >= maxLog {
		return false
	}
	t.log = t.ring.Drain(t.log)
	return true
}

// calls reads the log, and holds it against the number of times that the kernel
// says both tracepoints were passed.
func (t *tracedThread) calls(points tracepoints) ([]done, error) {
	pairs, err := points.pair(t.log)
	if err != nil {
		return nil, err
	}
	enters, err := passed(t.enter)
	if err != nil {
		return nil, err
	}
	exits, err := passed(t.exit)
	if err != nil {
		return nil, err
	}
	if pairs.enters != enters || pairs.exits != exits {
		return nil, fmt.Errorf("%w: %d of %d entries and %d of %d returns seen",
			errLost, pairs.enters, enters, pairs.exits, exits)
	}
	return pairs.calls, nil
}

// passed is how often the kernel counted an event.
func passed(fd int) (uint64, error) {
	var count [8]byte
	if _, err := unix.Read(fd, count[:]); err != nil {
		return 0, fmt.Errorf("read a perf event: %w", err)
	}
	return binary.NativeEndian.Uint64(count[:]), nil
}

func (t *tracedThread) close() error {
	var errs []error
	if t.ring != nil {
		errs = append(errs, t.ring.Unmap())
	}
	for _, fd := range []int{t.exit, t.enter} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}

package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

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

// followed is a thread with its events. The first has the ring, and the others
// write to it, so that their samples stand in order.
type followed struct {
	target, tid int
	events      []int
	ring        *sys.PerfRing
	log         []byte
	// underWay is the call that the thread was in when the pass began, nil if
	// it was in none.
	underWay *done
}

func openThread(open opener, tid int) (*followed, error) {
	events, err := open(tid)
	t := &followed{tid: tid, events: events}
	if err == nil {
		err = t.share()
	}
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

func (t *followed) share() (err error) {
	if t.ring, err = sys.MapPerfRing(t.events[0], ringSize); err != nil {
		return err
	}
	for _, event := range t.events[1:] {
		if err := unix.IoctlSetInt(event, unix.PERF_EVENT_IOC_SET_OUTPUT, t.events[0]); err != nil {
			return fmt.Errorf("share the perf ring: %w", err)
		}
	}
	return nil
}

// openEvent opens an event on one thread, on whatever CPU it runs, not yet enabled,
// with a sample for each time that it happens. It completes attr.
func openEvent(attr unix.PerfEventAttr, tid int) (int, error) {
	attr.Size = unix.PERF_ATTR_SIZE_VER5
	attr.Sample = 1
	attr.Bits = unix.PerfBitDisabled | unix.PerfBitWatermark
	attr.Wakeup = ringSize / 4
	fd, err := unix.PerfEventOpen(&attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("perf_event_open: %w", err)
	}
	return fd, nil
}

// control sends all events one of the PERF_EVENT_IOC_ requests without an
// argument.
func (t *followed) control(request uint) error {
	var errs []error
	for _, event := range t.events {
		errs = append(errs, unix.IoctlSetInt(event, request, 0))
	}
	return errors.Join(errs...)
}

// drain takes what the ring holds, and reports whether there is room for more.
func (t *followed) drain() bool {
	if len(t.log) >= maxLog {
		return false
	}
	t.log = t.ring.Drain(t.log)
	return true
}

// passed is how often the kernel counted an event.
func passed(fd int) (uint64, error) {
	var count [8]byte
	if _, err := unix.Read(fd, count[:]); err != nil {
		return 0, fmt.Errorf("read a perf event: %w", err)
	}
	return binary.NativeEndian.Uint64(count[:]), nil
}

func (t *followed) close() error {
	var errs []error
	if t.ring != nil {
		errs = append(errs, t.ring.Unmap())
	}
	for _, event := range slices.Backward(t.events) {
		errs = append(errs, unix.Close(event))
	}
	return errors.Join(errs...)
}

package stream

import (
	"fmt"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// End is how a connection moves bytes to and from the peer.
//
// It is a structure of functions, called straight from Send and Recv, because
// every function between those and the system call costs: what the processor
// remembers of calls is gone when another process has run. On an AMD EPYC a 64 B
// round trip through a pipe on one CPU took 0.06 µs longer with one layer more.
type End struct {
	// In and Out are the descriptors, which may be one.
	In, Out int
	Entry
	// Wake makes a call that waits in another goroutine return, or come nearer
	// to it; it may be called again.
	Wake func()
	// Close lets go of the descriptors, when nobody is inside.
	Close func() error
}

// Entry makes one system call on a descriptor, by which some bytes of p move. It
// fails with EAGAIN or EINTR where it is to be called again, and reads nothing or
// io.EOF when the peer's end is closed.
type Entry struct {
	Read, Write func(fd int, p []byte) (int, error)
}

var (
	// Raw does not tell the Go runtime; see the package comment of ipc.
	Raw = Entry{sys.RawRead, sys.RawWrite}
	// Safe does.
	Safe = Entry{unix.Read, unix.Write}
)

// Descriptors makes an End of two descriptors, which may be one given twice, and
// owns them. A wait that blocks has blocking descriptors, so that a call is all
// it takes; the others look with non-blocking ones. wake is for End.Wake.
func Descriptors(in, out int, entry Entry, wake func(in, out int), s Setting) (End, error) {
	end := End{
		In: in, Out: out, Entry: entry,
		Wake:  func() { wake(in, out) },
		Close: func() error { return closeBoth(in, out) },
	}
	for _, fd := range []int{in, out} {
		if err := unix.SetNonblock(fd, s.Wait != ipc.Block); err != nil {
			end.Close()
			return End{}, fmt.Errorf("set the mode of descriptor %d: %w", fd, err)
		}
	}
	return end, nil
}

func closeBoth(in, out int) error {
	err := unix.Close(in)
	if out != in {
		err = firstOf(err, unix.Close(out))
	}
	return err
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// readAgain goes on after a first read that returned nothing.
func (c *conn) readAgain(p []byte, err error) (n int, _ error) {
	if err != nil {
		n, err = c.again(c.end.Read, c.end.In, unix.POLLIN, p, err)
	}
	if err == nil && n == 0 {
		err = io.EOF
	}
	return n, err
}

// writeAgain goes on after a first write that failed.
func (c *conn) writeAgain(p []byte, err error) (int, error) {
	return c.again(c.end.Write, c.end.Out, unix.POLLOUT, p, err)
}

// again calls until the call returns, fails for good, or the gate is shut.
func (c *conn) again(call func(int, []byte) (int, error), fd int, ready int16, p []byte, err error) (int, error) {
	began := time.Now()
	for n := 0; ; {
		switch {
		case err == nil:
			return n, nil
		case c.gate.IsShut():
			return 0, ipc.ErrClosed
		case err == syscall.EAGAIN:
			c.idle(fd, ready, began)
		case err != syscall.EINTR:
			return 0, err
		}
		c.ledger.Syscalls(1)
		n, err = call(fd, p)
	}
}

// idle is what an end does between two looks. A failed poll shows in the next
// look.
func (c *conn) idle(fd int, ready int16, began time.Time) {
	if c.wait == ipc.Adaptive && time.Since(began) >= ipc.AdaptiveSpin {
		c.ledger.Syscalls(1)
		sys.RawPoll(fd, ready)
	}
}

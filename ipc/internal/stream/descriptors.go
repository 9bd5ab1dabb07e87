package stream

import (
	"fmt"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// Entry is how a thread enters the kernel.
type Entry struct {
	Read, Write func(fd int, p []byte) (int, error)
}

var (
	// Raw does not tell the Go runtime; see the package comment of ipc.
	Raw = Entry{sys.RawRead, sys.RawWrite}
	// Safe does.
	Safe = Entry{unix.Read, unix.Write}
)

// descriptors is an End over descriptors that it reads and writes itself.
type descriptors struct {
	in, out int
	entry   Entry
	wait    ipc.Wait
	gate    *ipc.Gate
	ledger  *copies.Ledger
	wake    func(in, out int)
}

// Descriptors makes an End of two descriptors, which may be one given twice, and
// owns them. A wait that blocks has blocking descriptors, so that a call is all
// it takes; the others look with non-blocking ones. wake is for End.Wake.
func Descriptors(in, out int, entry Entry, wake func(in, out int), s Setting) (End, error) {
	d := &descriptors{in: in, out: out, entry: entry, wait: s.Wait, gate: s.Gate, ledger: s.Ledger, wake: wake}
	for _, fd := range []int{in, out} {
		if err := unix.SetNonblock(fd, s.Wait != ipc.Block); err != nil {
			d.Close()
			return nil, fmt.Errorf("set the mode of descriptor %d: %w", fd, err)
		}
	}
	return d, nil
}

func (d *descriptors) Read(p []byte) (int, error) {
	n, err := d.transfer(d.entry.Read, d.in, unix.POLLIN, p)
	if err == nil && n == 0 {
		return 0, io.EOF
	}
	return n, err
}

func (d *descriptors) Write(p []byte) (int, error) {
	return d.transfer(d.entry.Write, d.out, unix.POLLOUT, p)
}

// transfer calls until the call has moved something, failed, or the gate is
// shut.
func (d *descriptors) transfer(call func(int, []byte) (int, error), fd int, ready int16, p []byte) (int, error) {
	d.ledger.Syscalls(1)
	n, err := call(fd, p)
	if err != nil {
		n, err = d.retry(call, fd, ready, p, err)
	}
	if d.gate.IsShut() {
		return 0, ipc.ErrClosed
	}
	return n, err
}

// retry goes on after a first call that moved nothing.
func (d *descriptors) retry(call func(int, []byte) (int, error), fd int, ready int16, p []byte, err error) (int, error) {
	began := time.Now()
	for n := 0; ; {
		switch {
		case err == nil:
			return n, nil
		case d.gate.IsShut():
			return 0, ipc.ErrClosed
		case err == syscall.EAGAIN:
			d.idle(fd, ready, began)
		case err != syscall.EINTR:
			return 0, err
		}
		d.ledger.Syscalls(1)
		n, err = call(fd, p)
	}
}

// idle is what an end does between two looks. A failed poll shows in the next
// look.
func (d *descriptors) idle(fd int, ready int16, began time.Time) {
	if d.wait == ipc.Adaptive && time.Since(began) >= ipc.AdaptiveSpin {
		d.ledger.Syscalls(1)
		sys.RawPoll(fd, ready)
	}
}

func (d *descriptors) Wake() { d.wake(d.in, d.out) }

func (d *descriptors) Close() error {
	err := unix.Close(d.in)
	if d.out != d.in {
		err = firstOf(err, unix.Close(d.out))
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

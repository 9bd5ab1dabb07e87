package stream

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// polled is an End that waits in the Go runtime's poller, which knows the
// descriptors.
type polled struct {
	in     io.ReadCloser
	out    PolledWriter
	raw    syscall.RawConn
	ledger *copies.Ledger

	// try is tryWrite, bound once: binding it for each write would allocate.
	try     func(fd uintptr) bool
	pending []byte
	written int
	calls   int
	err     error
}

// PolledWriter is what os.File and the connections of net have in common.
type PolledWriter interface {
	io.Closer
	syscall.Conn
}

// Polled makes an End of what os or net made of a descriptor; in and out may be
// the same.
func Polled(in io.ReadCloser, out PolledWriter, s Setting) (End, error) {
	raw, err := out.SyscallConn()
	if err != nil {
		return End{}, err
	}
	p := &polled{in: in, out: out, raw: raw, ledger: s.Ledger}
	p.try = p.tryWrite
	return End{Entry: Entry{p.read, p.write}, Wake: func() { p.close() }, Close: p.close}, nil
}

func (p *polled) read(_ int, b []byte) (int, error) {
	n, err := p.in.Read(b)
	return n, closedError(err)
}

// write goes through the same lock and the same poller as the Write of os.File
// and net.Conn, which is a loop of write(2) that does not tell how often it
// went round. Here each call is counted, but for the one that the connection
// counts itself.
func (p *polled) write(_ int, b []byte) (int, error) {
	p.pending, p.written, p.calls, p.err = b, 0, 0, nil
	err := p.raw.Write(p.try)
	p.ledger.Syscalls(max(0, p.calls-1))
	if err != nil {
		return p.written, closedError(err)
	}
	return p.written, p.err
}

// tryWrite writes all that is pending, or reports false where the poller has to
// wait for room.
func (p *polled) tryWrite(fd uintptr) (done bool) {
	for len(p.pending) > 0 {
		n, err := syscall.Write(int(fd), p.pending)
		switch err {
		case nil:
			p.calls++
			p.written += n
			p.pending = p.pending[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			p.err = err
			return true
		}
	}
	return true
}

func closedError(err error) error {
	if isClosed(err) {
		return ipc.ErrClosed
	}
	return err
}

func isClosed(err error) bool {
	return errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed)
}

// close may be called again: to wake a call is to close its file.
func (p *polled) close() error {
	for _, c := range []io.Closer{p.in, p.out} {
		if err := c.Close(); err != nil && !isClosed(err) {
			return err
		}
	}
	return nil
}

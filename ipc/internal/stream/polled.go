package stream

import (
	"errors"
	"io"
	"net"
	"os"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// polled is an End that waits in the Go runtime's poller.
type polled struct {
	in     io.ReadCloser
	out    io.WriteCloser
	ledger *copies.Ledger
}

// Polled makes an End of what os or net made of a descriptor; in and out may be
// the same.
func Polled(in io.ReadCloser, out io.WriteCloser, s Setting) End {
	return &polled{in: in, out: out, ledger: s.Ledger}
}

func (p *polled) Read(b []byte) (int, error) {
	p.ledger.Syscalls(1)
	n, err := p.in.Read(b)
	return n, closedError(err)
}

func (p *polled) Write(b []byte) (int, error) {
	p.ledger.Syscalls(1)
	n, err := p.out.Write(b)
	return n, closedError(err)
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

func (p *polled) Wake() { p.Close() }

// Close may follow Wake, which has closed both.
func (p *polled) Close() error {
	for _, c := range []io.Closer{p.in, p.out} {
		if err := c.Close(); err != nil && !isClosed(err) {
			return err
		}
	}
	return nil
}

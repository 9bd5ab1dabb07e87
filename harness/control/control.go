// Package control is the line between the harness and a worker process: JSON
// messages, each behind its length, over a socket. It is never used while the
// clock runs.
package control

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// MaxMessage bounds a message in bytes; a worker that says more is broken.
const MaxMessage = 16 << 20

// ErrDamaged reports bytes that are no message.
var ErrDamaged = errors.New("damaged control message")

// Conn is one end of the line.
type Conn struct{ file *os.File }

// Pair makes a line: one end for this process, the other to be inherited.
func Pair() (*Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("control channel: %w", err)
	}
	return &Conn{os.NewFile(uintptr(fds[0]), "control")}, os.NewFile(uintptr(fds[1]), "control"), nil
}

// Open takes an inherited end.
func Open(f *os.File) *Conn { return &Conn{f} }

// Close ends the line; a worker whose line ends cleans up and exits.
func (c *Conn) Close() error { return c.file.Close() }

// Send writes one message.
func (c *Conn) Send(message any) error {
	b, err := Encode(message)
	if err != nil {
		return err
	}
	_, err = c.file.Write(b)
	return err
}

// Receive reads one message into v, waiting at most for timeout (0: without
// end). The end of the line is io.EOF, a late answer os.ErrDeadlineExceeded.
func (c *Conn) Receive(v any, timeout time.Duration) error {
	var deadline time.Time
	if timeout > 0 {
		deadline = time.Now().Add(timeout)
	}
	if err := c.file.SetReadDeadline(deadline); err != nil {
		return err
	}
	return Decode(c.file, v)
}

// Encode is a message's form on the line.
func Encode(message any) ([]byte, error) {
	b, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("control message of %d bytes: at most %d", len(b), MaxMessage)
	}
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...), nil
}

// Decode reads one message. It never allocates more than has arrived, whatever
// length the bytes claim.
func Decode(r io.Reader, v any) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > MaxMessage {
		return fmt.Errorf("%w: length %d", ErrDamaged, n)
	}
	b, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err != nil {
		return err
	}
	if len(b) < int(n) {
		return io.ErrUnexpectedEOF
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	return nil
}

package daemon

import (
	"encoding/binary"
	"fmt"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device/daemon/wire"
)

// What the daemon has to find in this process's memory, to show that it can read
// it and that it has the right process.
const probeText = "ipcbench"

var probeNumber = binary.NativeEndian.Uint64([]byte(probeText))

// connection is the socket to the daemon: one question at a time.
type connection struct {
	daemon int // its pid

	mu sync.Mutex
	fd int // -1 when closed
}

func dial(socket string) (*connection, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &connection{fd: fd}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: socket}); err != nil {
		c.close()
		return nil, err
	}
	answer, _, err := c.ask(wire.Message{Operation: wire.Hello, A: wire.Version}, false)
	if err != nil {
		c.close()
		return nil, fmt.Errorf("greeting: %w", err)
	}
	c.daemon = int(answer.A)
	return c, nil
}

// ask sends a message and receives the answer, with a descriptor if one is wanted.
// The error is the daemon's, an errno, or ErrGone.
func (c *connection) ask(m wire.Message, wantFile bool) (answer wire.Message, fd int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fd < 0 {
		return answer, -1, unix.EBADF
	}
	if _, err := sendto(c.fd, m.Encode()); err != nil {
		return answer, -1, ErrGone
	}
	b := make([]byte, 2*wire.MessageSize)
	n, fd, err := receiveFile(c.fd, b)
	if err != nil || answer.Decode(b[:n]) != nil {
		closeIf(fd)
		return answer, -1, ErrGone
	}
	if answer.Errno != 0 {
		closeIf(fd)
		return answer, -1, syscall.Errno(answer.Errno)
	}
	if wantFile && fd < 0 {
		return answer, -1, unix.EMFILE // this process's table is full
	}
	return answer, fd, nil
}

func sendto(fd int, b []byte) (int, error) {
	for {
		n, err := unix.SendmsgN(fd, b, nil, nil, unix.MSG_NOSIGNAL)
		if err != unix.EINTR {
			return n, err
		}
	}
}

// receiveFile receives a message and the descriptor in it, -1 if there is none or
// no place for it.
func receiveFile(fd int, b []byte) (n, file int, err error) {
	oob := make([]byte, unix.CmsgSpace(4))
	m := 0
	for {
		n, m, _, _, err = unix.Recvmsg(fd, b, oob, unix.MSG_CMSG_CLOEXEC)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return n, -1, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:m])
	if err != nil || len(messages) == 0 {
		return n, -1, nil
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) == 0 {
		return n, -1, nil
	}
	return n, fds[0], nil
}

// awaitHangup returns when the daemon is gone or the connection was shut down.
func (c *connection) awaitHangup() {
	fds := []unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLRDHUP}}
	for {
		if _, err := unix.Poll(fds, -1); err != unix.EINTR {
			return
		}
	}
}

// hangup makes awaitHangup return.
func (c *connection) hangup() { _ = unix.Shutdown(c.fd, unix.SHUT_RDWR) }

func (c *connection) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	closeIf(c.fd)
	c.fd = -1
}

func closeIf(fd int) {
	if fd >= 0 {
		_ = unix.Close(fd)
	}
}

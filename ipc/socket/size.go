package socket

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
)

// record is the size of the packets that unix-seqpacket splits messages into: a
// packet's first pages come from one allocation, which gets dear above 16 pages.
const record = 64 << 10

// recordRoom is what the kernel keeps of the send buffer beside a packet.
const recordRoom = 32

// tune makes the buffers of both sockets large enough for a message, as far as
// the limits allow, and says what came of it.
func tune(server, client int, cfg ipc.Config) ([]string, error) {
	requests, err := resize(client, server, cfg.MaxRequest)
	if err != nil {
		return nil, err
	}
	replies, err := resize(server, client, cfg.MaxReply)
	if err != nil {
		return nil, err
	}
	return []string{fmt.Sprintf("socket buffers of %d bytes for requests, %d for replies", requests, replies)}, nil
}

// resize sizes the sender's and the receiver's buffer for messages of n bytes,
// never below the system's default. It returns the size of the send buffer.
func resize(sender, receiver, n int) (int, error) {
	if err := grow(receiver, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE, n); err != nil {
		return 0, err
	}
	if err := grow(sender, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE, n); err != nil {
		return 0, err
	}
	size, err := unix.GetsockoptInt(sender, unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt", err)
	}
	if size < record+recordRoom {
		return 0, fmt.Errorf("%w: a send buffer of %d bytes, %d are needed", ipc.ErrNoResources, size, record+recordRoom)
	}
	return size, nil
}

// grow makes a buffer n bytes large, which the kernel doubles for its own
// records: past the system's limit if the process may, else up to it.
func grow(fd, option, force, n int) error {
	size, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, option)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	if size/2 >= n {
		return nil
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, force, n) == nil {
		return nil
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, n))
}

package socket

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/internal/stream"
)

// record is the size of the packets that unix-seqpacket splits messages into. A
// packet is one allocation of the kernel, which costs the less for each byte the
// larger it is: a round trip of 1 MiB on one CPU took 402 µs in packets of
// 128 KiB, 359 of 192, 299 of 384, 281 of 768. 384 KiB is what a send buffer holds
// that is as large as Linux allows by default.
const record = 384 << 10

// recordRoom is what the kernel keeps of the send buffer beside a packet.
const recordRoom = 32

// tune makes the buffers of both sockets large enough for a message, as far as
// the limits allow, and says what came of it. Less than least bytes in a send
// buffer wraps ErrNoResources.
func tune(server, client int, cfg ipc.Config, least int) ([]string, error) {
	requests, err := resize(client, server, max(cfg.MaxRequest+stream.HeaderSize, least/2))
	if err != nil {
		return nil, err
	}
	replies, err := resize(server, client, max(cfg.MaxReply+stream.HeaderSize, least/2))
	if err != nil {
		return nil, err
	}
	if size := min(requests, replies); size < least {
		return nil, fmt.Errorf("%w: a send buffer of %d bytes, %d are needed", ipc.ErrNoResources, size, least)
	}
	return []string{fmt.Sprintf("socket buffers of %d bytes for requests, %d for replies", requests, replies)}, nil
}

// resize sizes the sender's and the receiver's buffer for n bytes,
// never below the system's default. A sender that can go on while its receiver
// copies gains from it: 4 MiB through unix-stream on two CPUs took 1.12 ms a
// round trip, and 1.49 ms with the default. It returns the size of the send buffer.
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

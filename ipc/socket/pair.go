package socket

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/internal/stream"
)

// unixPair makes connected Unix sockets of a type, whose send buffers must hold
// least bytes.
func unixPair(kind, least int) func(ipc.Config) (stream.Pair, error) {
	return func(cfg ipc.Config) (stream.Pair, error) {
		fds, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return stream.Pair{}, fmt.Errorf("socketpair: %w", err)
		}
		p := pairOf(fds[0], fds[1])
		if p.Notes, err = tune(fds[0], fds[1], cfg, least); err != nil {
			p.Server[0].Close()
			p.Client[0].Close()
		}
		if kind == unix.SOCK_SEQPACKET && max(cfg.MaxRequest, cfg.MaxReply)+stream.HeaderSize > record {
			p.Notes = append(p.Notes, fmt.Sprintf("messages above %d bytes go in several packets", record-stream.HeaderSize))
		}
		return p, err
	}
}

// streamPairs makes a pair of connected Unix streams for each direction. On one
// socket for both, the kernel wakes the client a second time: it waits for the
// reply where it would also wait for room to send, and there is room when the
// server has read the request. On an AMD EPYC a round trip of 64 B between two
// CPUs took 21 to 27 µs on one pair, the client sleeping 1.9 times, and 10 to 11 µs
// on two, sleeping once; at 64 KiB 39 and 27 µs (go test -bench
// 'OnePair|Call/unix-stream/block' ./ipc/socket).
func streamPairs(cfg ipc.Config) (stream.Pair, error) {
	requests, err := unixPair(unix.SOCK_STREAM, 0)(cfg)
	if err != nil {
		return stream.Pair{}, err
	}
	replies, err := unixPair(unix.SOCK_STREAM, 0)(cfg)
	if err != nil {
		requests.Server[0].Close()
		requests.Client[0].Close()
		return stream.Pair{}, err
	}
	return stream.Pair{
		Server: []*os.File{requests.Server[0], replies.Server[0]},
		Client: []*os.File{replies.Client[0], requests.Client[0]},
		Notes:  append(requests.Notes, "a pair of sockets for each direction"),
	}, nil
}

// pairOf is a pair of connected sockets.
func pairOf(server, client int) stream.Pair {
	return stream.Pair{
		Server: []*os.File{os.NewFile(uintptr(server), "socket")},
		Client: []*os.File{os.NewFile(uintptr(client), "socket")},
	}
}

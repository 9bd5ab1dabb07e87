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

// pairOf is a pair of connected sockets.
func pairOf(server, client int) stream.Pair {
	return stream.Pair{
		Server: []*os.File{os.NewFile(uintptr(server), "socket")},
		Client: []*os.File{os.NewFile(uintptr(client), "socket")},
	}
}

// Package streamtest is what the conformance suite has to know of a transport that
// package stream made.
package streamtest

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
	"ipcbench/ipc/internal/stream"
	"ipcbench/ipc/transporttest"
)

// Subjects makes subjects of transports.
func Subjects(transports []ipc.Transport) (all []transporttest.Subject) {
	for _, t := range transports {
		all = append(all, transporttest.Subject{Transport: t, Copies: 2, Syscalls: 4, Inject: inject})
	}
	return all
}

// packet is less than a sequenced packet may have anywhere.
const packet = 64 << 10

// inject writes a header, its padding, and whatever follows, to an end's last file,
// which is the one that it writes.
func inject(_ ipc.Config, h ipc.Handover, _ copies.Direction, bytes []byte) error {
	padding := make([]byte, stream.HeaderSize-ipc.HeaderSize)
	message := slices.Concat(bytes[:ipc.HeaderSize], padding, bytes[ipc.HeaderSize:])
	for part := range slices.Chunk(message, packet) {
		if err := write(h.Files[len(h.Files)-1], part); err != nil {
			return err
		}
	}
	return nil
}

// write writes all of p, also where the end's owner has made it non-blocking.
func write(f *os.File, p []byte) error {
	for len(p) > 0 {
		n, err := f.Write(p)
		p = p[n:]
		if errors.Is(err, unix.EAGAIN) {
			_, err = unix.Poll([]unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLOUT}}, -1)
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
	return nil
}

// Package streamtest is what the conformance suite has to know of a transport that
// package stream made.
package streamtest

import (
	"slices"

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
		if _, err := h.Files[len(h.Files)-1].Write(part); err != nil {
			return err
		}
	}
	return nil
}

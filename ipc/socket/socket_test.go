package socket_test

import (
	"slices"
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
	"ipcbench/ipc/internal/stream"
	"ipcbench/ipc/socket"
	"ipcbench/ipc/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m, socket.Transports()...) }

func TestTransports(t *testing.T) {
	for _, transport := range socket.Transports() {
		t.Run(transport.Info().Name, func(t *testing.T) {
			transporttest.Run(t, transporttest.Subject{
				Transport: transport, Copies: 2, Syscalls: 4, Inject: inject,
			})
		})
	}
}

// inject writes a header, its padding, and whatever follows.
func inject(_ ipc.Config, h ipc.Handover, _ copies.Direction, bytes []byte) error {
	padding := make([]byte, stream.HeaderSize-ipc.HeaderSize)
	message := slices.Concat(bytes[:ipc.HeaderSize], padding, bytes[ipc.HeaderSize:])
	_, err := h.Files[len(h.Files)-1].Write(message)
	return err
}

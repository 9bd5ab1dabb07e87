package socket_test

import (
	"testing"

	"ipcbench/ipc"
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

func inject(h ipc.Handover, bytes []byte) error {
	_, err := h.Files[0].Write(bytes)
	return err
}

package pipe_test

import (
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/pipe"
	"ipcbench/ipc/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m, pipe.Transports()...) }

func TestTransports(t *testing.T) {
	for _, transport := range pipe.Transports() {
		t.Run(transport.Info().Name, func(t *testing.T) {
			transporttest.Run(t, transporttest.Subject{
				Transport: transport, Copies: 2, Syscalls: 4, Inject: inject,
			})
		})
	}
}

func inject(h ipc.Handover, bytes []byte) error {
	_, err := h.Files[1].Write(bytes)
	return err
}

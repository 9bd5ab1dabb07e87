package socket_test

import (
	"testing"

	"ipcbench/ipc/internal/stream/streamtest"
	"ipcbench/ipc/socket"
	"ipcbench/ipc/transporttest"
)

var subjects = streamtest.Subjects(socket.Transports())

func TestMain(m *testing.M) { transporttest.Main(m, subjects...) }

func TestConformance(t *testing.T) { transporttest.Run(t, subjects...) }

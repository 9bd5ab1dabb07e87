package pipe_test

import (
	"testing"

	"ipcbench/ipc/internal/stream/streamtest"
	"ipcbench/ipc/pipe"
	"ipcbench/ipc/transporttest"
)

var subjects = streamtest.Subjects(pipe.Transports())

func TestMain(m *testing.M) { transporttest.Main(m, subjects...) }

func TestConformance(t *testing.T) { transporttest.Run(t, subjects...) }

func BenchmarkCall(b *testing.B) { transporttest.Benchmark(b, subjects...) }

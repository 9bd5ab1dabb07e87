package socket

import (
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/internal/stream"
	"ipcbench/ipc/internal/stream/streamtest"
	"ipcbench/ipc/transporttest"
)

var subjects = streamtest.Subjects(Transports())

// onePair is unix-stream on one pair of sockets for both directions.
var onePair = streamtest.Subjects([]ipc.Transport{stream.New(stream.Kind{
	Info:  ipc.Info{Name: "one-pair", Waits: []ipc.Wait{ipc.Block}},
	Sites: streamSites, Pair: unixPair(unix.SOCK_STREAM, 0), Files: 1, Open: openRaw,
})})

func TestMain(m *testing.M) { transporttest.Main(m, append(onePair, subjects...)...) }

func TestConformance(t *testing.T) { transporttest.Run(t, subjects...) }

func BenchmarkCall(b *testing.B) { transporttest.Benchmark(b, subjects...) }

// BenchmarkOnePair is what the rows of unix-stream in BenchmarkCall would be with a
// socket for both directions: the client sleeps twice a call, not once.
func BenchmarkOnePair(b *testing.B) { transporttest.Benchmark(b, onePair...) }

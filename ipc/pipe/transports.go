package pipe

import (
	"os"

	"ipcbench/ipc"
	"ipcbench/ipc/internal/stream"
)

var (
	pipeSites    = stream.NewSites("pipe")
	fifoSites    = stream.NewSites("fifo")
	syscallSites = stream.NewSites("pipe-syscall")
	netpollSites = stream.NewSites("pipe-netpoll")
)

// Transports are the transports of this package.
func Transports() []ipc.Transport {
	return []ipc.Transport{
		stream.New(stream.Kind{
			Info: ipc.Info{
				Name: "pipe", Waits: ipc.Waits,
				Summary: "a pipe each way, copied in by write(2) and out by read(2), which wake the peer",
			},
			Sites: pipeSites, Pair: makePair(anonymous), Files: filesPerEnd, Open: openWith(stream.Raw),
		}),
		stream.New(stream.Kind{
			Info: ipc.Info{
				Name: "fifo", Waits: ipc.Waits,
				Summary: "as pipe, with FIFOs made in the file system, which keeps their times",
			},
			Sites: fifoSites, Pair: makePair(named), Files: filesPerEnd, Open: openWith(stream.Raw),
		}),
		stream.New(stream.Kind{
			Info: ipc.Info{
				Name: "pipe-syscall", Waits: []ipc.Wait{ipc.Block}, RuntimeSafe: true,
				Summary: "as pipe, entering the kernel through the Go scheduler",
			},
			Sites: syscallSites, Pair: makePair(anonymous), Files: filesPerEnd, Open: openWith(stream.Safe),
		}),
		stream.New(stream.Kind{
			Info: ipc.Info{
				Name: "pipe-netpoll", Waits: []ipc.Wait{ipc.Block}, RuntimeSafe: true,
				Summary: "as pipe, through os.File and the Go runtime's poller",
			},
			Sites: netpollSites, Pair: makePair(anonymous), Files: filesPerEnd, Open: openPolled,
		}),
	}
}

// filesPerEnd: an end reads its first file and writes its second.
const filesPerEnd = 2

func openWith(entry stream.Entry) func([]*os.File, stream.Setting) (stream.End, error) {
	return func(files []*os.File, s stream.Setting) (stream.End, error) {
		fds, err := stream.Take(files)
		if err != nil {
			return stream.End{}, err
		}
		return stream.Descriptors(fds[0], fds[1], entry, wake, s)
	}
}

package socket

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/internal/stream"
)

var (
	streamSites    = stream.NewSites("unix-stream")
	seqpacketSites = stream.NewSites("unix-seqpacket")
	tcpSites       = stream.NewSites("tcp-loopback")
	netpollSites   = stream.NewSites("unix-netpoll")
)

// Transports are the transports of this package.
func Transports() []ipc.Transport {
	return []ipc.Transport{
		stream.New(stream.Kind{
			Info: ipc.Info{
				Name: "unix-stream", Waits: ipc.Waits,
				Summary: "a Unix stream socket each way, copied into socket buffers and out again",
			},
			Sites: streamSites, Pair: streamPairs, Files: 2, Open: openRaw,
		}),
		stream.New(stream.Kind{
			Info: ipc.Info{
				Name: "unix-seqpacket", Waits: ipc.Waits,
				Summary: fmt.Sprintf("a Unix socket of records, of up to %d KiB each", record>>10),
			},
			Sites: seqpacketSites, Pair: unixPair(unix.SOCK_SEQPACKET, record+recordRoom), Files: 1, Open: openRaw, Record: record,
		}),
		stream.New(stream.Kind{
			Info: ipc.Info{
				Name: "tcp-loopback", Waits: ipc.Waits,
				Summary: "a TCP connection over 127.0.0.1, without Nagle's delay",
			},
			Sites: tcpSites, Pair: tcpPair, Files: 1, Open: openRaw,
		}),
		stream.New(stream.Kind{
			Info: ipc.Info{
				Name: "unix-netpoll", Waits: []ipc.Wait{ipc.Block}, RuntimeSafe: true,
				Summary: "one Unix stream socket, through net.UnixConn and the Go runtime's poller",
			},
			Sites: netpollSites, Pair: unixPair(unix.SOCK_STREAM, 0), Files: 1, Open: openPolled,
		}),
	}
}

// openRaw reads an end's first file and writes its last, which may be the same.
func openRaw(files []*os.File, s stream.Setting) (stream.End, error) {
	fds, err := stream.Take(files)
	if err != nil {
		return stream.End{}, err
	}
	return stream.Descriptors(fds[0], fds[len(fds)-1], stream.Raw, wake, s)
}

// wake ends both directions, which every blocked call notices at once and for
// good.
func wake(in, out int) {
	unix.Shutdown(in, unix.SHUT_RDWR)
	unix.Shutdown(out, unix.SHUT_RDWR)
}

func openPolled(files []*os.File, s stream.Setting) (stream.End, error) {
	c, err := net.FileConn(files[0])
	if err != nil {
		return stream.End{}, err
	}
	files[0].Close()
	conn, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return stream.End{}, fmt.Errorf("a %s where a Unix socket was to be handed over", c.LocalAddr().Network())
	}
	return stream.Polled(conn, conn, s)
}

package pipe

import (
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/internal/stream"
)

// openPolled makes files of the descriptors anew, non-blocking, so that os hands
// them to the runtime's poller.
func openPolled(files []*os.File, s stream.Setting) (stream.End, error) {
	fds, err := stream.Take(files)
	if err != nil {
		return stream.End{}, err
	}
	for _, fd := range fds {
		if e := unix.SetNonblock(fd, true); e != nil {
			err = e
		}
	}
	in, out := os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe")
	if err != nil {
		in.Close()
		out.Close()
		return stream.End{}, err
	}
	return stream.Polled(in, out, s)
}

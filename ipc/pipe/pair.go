package pipe

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/internal/stream"
)

// maker makes a pipe.
type maker func() (r, w *os.File, err error)

func makePair(pipe maker) func(ipc.Config) (stream.Pair, error) {
	return func(cfg ipc.Config) (p stream.Pair, err error) {
		defer func() {
			if err != nil {
				closeAll(p.Server)
				closeAll(p.Client)
			}
		}()
		request, requestIn, err := pipe()
		if err != nil {
			return p, err
		}
		p.Server, p.Client = []*os.File{request}, []*os.File{requestIn}
		reply, replyIn, err := pipe()
		if err != nil {
			return p, err
		}
		p.Server, p.Client = []*os.File{request, replyIn}, []*os.File{reply, requestIn}
		return p, tune(&p, cfg)
	}
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

func anonymous() (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, fmt.Errorf("pipe: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

// named makes a FIFO and removes its name as soon as both ends are open: the
// kernel goes on treating it as a file of its file system, and a creator that is
// killed leaves nothing behind.
func named() (r, w *os.File, err error) {
	dir, err := os.MkdirTemp("", "ipcbench-fifo-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		return nil, nil, fmt.Errorf("mkfifo %s: %w", name, err)
	}
	// A reader that does not block for its writer lets one process open both.
	rfd, err := unix.Open(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open %s: %w", name, err)
	}
	wfd, err := unix.Open(name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		unix.Close(rfd)
		return nil, nil, fmt.Errorf("open %s: %w", name, err)
	}
	return os.NewFile(uintptr(rfd), "fifo"), os.NewFile(uintptr(wfd), "fifo"), nil
}

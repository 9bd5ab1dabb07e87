package pipe

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/internal/stream"
)

// tune sizes both pipes of a pair and notes what came of it.
func tune(p *stream.Pair, cfg ipc.Config) error {
	requests, err := resize(p.Server[0], cfg.MaxRequest)
	if err != nil {
		return err
	}
	replies, err := resize(p.Client[0], cfg.MaxReply)
	if err != nil {
		return err
	}
	p.Notes = append(p.Notes, fmt.Sprintf("pipe of %d bytes for requests, %d for replies", requests, replies))
	return nil
}

// resize makes a pipe large enough for a message of n bytes, or as large as the
// limits of the system and the user allow, and returns its size.
func resize(f *os.File, n int) (size int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := raw.Control(func(fd uintptr) {
		size, err = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0)
		for want := stream.HeaderSize + n; err == nil && want > size; want /= 2 {
			if got, e := unix.FcntlInt(fd, unix.F_SETPIPE_SZ, want); e == nil {
				size = got
			}
		}
	})
	if controlErr != nil {
		return 0, controlErr
	}
	if err != nil {
		return 0, fmt.Errorf("size of a pipe: %w", err)
	}
	return size, nil
}

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
	if requests < wanted(cfg.MaxRequest) || replies < wanted(cfg.MaxReply) {
		p.Notes = append(p.Notes, "pipe-max-size or pipe-user-pages-soft allows no larger pipe")
	}
	return nil
}

// largest is the most that a pipe is made to hold. More than that drops out of
// the caches before it is read: on two CPUs, a round trip of 1 MiB took 614 µs
// through pipes of 1 MiB, 680 of 128 KiB, 791 of 4 MiB and 1016 of 8 MiB.
const largest = 1 << 20

// wanted is the size for messages of n bytes.
func wanted(n int) int { return min(stream.HeaderSize+n, largest) }

// resize makes a pipe large enough for a message of n bytes, or as large as the
// limits of the system and the user allow, and returns its size.
func resize(f *os.File, n int) (size int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := raw.Control(func(fd uintptr) {
		size, err = unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0)
		for want := wanted(n); err == nil && want > size; want /= 2 {
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

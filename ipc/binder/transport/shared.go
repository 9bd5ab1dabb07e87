package transport

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/shared"
)

// sharedPlatform is the driver in Go, running in its callers over files in a
// directory of the channel's own.
type sharedPlatform struct{}

// memoryFiles is where the directories are made.
const memoryFiles = "/dev/shm"

// room is what a channel may come to fill: the arena, and the regions of server,
// client and service manager. A page that is missing later kills who touches it.
const room = 4 * regionSize

func (sharedPlatform) check() error {
	var s unix.Statfs_t
	if err := unix.Statfs(memoryFiles, &s); err != nil {
		return fmt.Errorf("%s: %w", memoryFiles, err)
	}
	if free := s.Bavail * uint64(s.Bsize); s.Blocks > 0 && free < room {
		return fmt.Errorf("%w: no space left on %s: %d KiB are free, a channel may need %d",
			ipc.ErrNoResources, memoryFiles, free>>10, room>>10)
	}
	return nil
}

// directory is the name of a channel's directory, which says whose it is.
const directory = "ipcbench-binder-%d-"

// create also removes what channels left that nobody could remove, because
// all of their processes were killed.
func (p sharedPlatform) create() (created, error) {
	all, err := filepath.Glob(filepath.Join(memoryFiles, "ipcbench-binder-*"))
	if err != nil {
		return created{}, err
	}
	for _, dir := range all {
		p.leave(dir)
	}
	dir, err := os.MkdirTemp(memoryFiles, fmt.Sprintf(directory, os.Getpid()))
	return created{place: dir, remove: func() error { return shared.Remove(dir) }}, err
}

// leave removes the directory if its creator, who would have, is gone, and
// everybody else. One of another user cannot be removed.
func (sharedPlatform) leave(dir string) {
	var creator int
	if _, err := fmt.Sscanf(filepath.Base(dir), directory, &creator); err != nil {
		return
	}
	if unix.Kill(creator, 0) == unix.ESRCH {
		_ = shared.RemoveAbandoned(dir)
	}
}

func (sharedPlatform) open(dir string, wait ipc.Wait, raw bool) (device.Device, error) {
	waits := map[ipc.Wait]shared.Wait{
		ipc.Block: shared.WaitBlock, ipc.Adaptive: shared.WaitAdaptive, ipc.Spin: shared.WaitSpin,
	}
	return shared.New(shared.Options{Dir: dir, Existing: true, Wait: waits[wait], RawWait: raw})
}

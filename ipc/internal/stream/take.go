package stream

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Take makes descriptors of files and closes the files, so that neither their
// finalizers nor the runtime's poller has anything to do with the descriptors.
// It leaves none open when it fails.
func Take(files []*os.File) (fds []int, err error) {
	defer func() {
		if err != nil {
			for _, fd := range fds {
				unix.Close(fd)
			}
		}
	}()
	for _, f := range files {
		fd, err := duplicate(f)
		if err != nil {
			return fds, fmt.Errorf("take over %s: %w", f.Name(), err)
		}
		fds = append(fds, fd)
		f.Close()
	}
	return fds, nil
}

// duplicate does not use os.File.Fd, which changes the file's mode.
func duplicate(f *os.File) (fd int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	controlErr := raw.Control(func(old uintptr) {
		fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	})
	return fd, firstOf(controlErr, err)
}

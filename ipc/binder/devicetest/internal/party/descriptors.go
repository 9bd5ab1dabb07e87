package party

import (
	"golang.org/x/sys/unix"
)

// Pipe makes a pipe and says its two descriptors, reading end first.
func (a *agent) Pipe(_ None, r *Result[[2]int]) error {
	var fds [2]int
	err := unix.Pipe2(fds[:], unix.O_CLOEXEC)
	return settle(r, fds, err)
}

// FDFlags is fcntl(F_GETFD).
func (a *agent) FDFlags(fd int, r *Result[int]) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return settle(r, flags, err)
}

// FDRead is read(2).
func (a *agent) FDRead(args FDArgs, r *Result[[]byte]) error {
	b := make([]byte, args.N)
	n, err := unix.Read(args.FD, b)
	return settle(r, b[:max(n, 0)], err)
}

// FDWrite is write(2).
func (a *agent) FDWrite(args FDArgs, r *Result[int]) error {
	n, err := unix.Write(args.FD, args.Bytes)
	return settle(r, n, err)
}

// FDClose is close(2).
func (a *agent) FDClose(fd int, r *Result[None]) error {
	return settle(r, None{}, unix.Close(fd))
}

// FDLimit fills the descriptor table, or makes room again: it lowers the soft
// limit to the lowest free number, or sets it to the hard one.
func (a *agent) FDLimit(full bool, r *Result[None]) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return settle(r, None{}, err)
	}
	limit.Cur = limit.Max
	if full {
		free, err := unix.Dup(0)
		if err != nil {
			return settle(r, None{}, err)
		}
		unix.Close(free)
		limit.Cur = uint64(free)
	}
	return settle(r, None{}, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
}

// Renice sets the nice value of a thread.
func (a *agent) Renice(args NiceArgs, r *Result[None]) error {
	return settle(r, None{}, unix.Setpriority(unix.PRIO_PROCESS, int(args.Thread), args.Nice))
}

// Nice is the nice value of a thread.
func (a *agent) Nice(thread int32, r *Result[int]) error {
	// The system call answers 20 - nice, so that no value is negative.
	v, err := unix.Getpriority(unix.PRIO_PROCESS, int(thread))
	return settle(r, 20-v, err)
}

package sys

import (
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what the kernel charged a thread or a process.
type Usage struct {
	CPU                     time.Duration
	Voluntary, Involuntary  int64 // context switches
	MinorFaults, MajorFault int64
}

// ThreadUsage is the calling OS thread's usage.
func ThreadUsage() Usage { return usage(unix.RUSAGE_THREAD) }

// ProcessUsage is the whole process's usage.
func ProcessUsage() Usage { return usage(unix.RUSAGE_SELF) }

// usage cannot fail: who is one of the two above.
func usage(who int) Usage {
	var r unix.Rusage
	unix.Getrusage(who, &r)
	return Usage{
		CPU:         time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		Voluntary:   r.Nvcsw,
		Involuntary: r.Nivcsw,
		MinorFaults: r.Minflt,
		MajorFault:  r.Majflt,
	}
}

// Monotonic is CLOCK_MONOTONIC in nanoseconds, the same for all processes.
func Monotonic() int64 {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

package sys

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct of rt_sigaction(2).
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const saRestart = 0x10000000

// LetPreemptionInterrupt has the signal by which the Go scheduler calls a
// running thread back (SIGURG) end a raw system call that sleeps, with EINTR.
// As Go installs its handlers, the kernel goes on with the call instead
// (SA_RESTART), and whoever stops the world, for a collection or to read
// memory statistics, waits for as long as the call sleeps. It holds for the
// process; package os and net are prepared for EINTR. The error is
// rt_sigaction(2)'s.
func LetPreemptionInterrupt() error {
	var sa sigaction
	if err := rtSigaction(unix.SIGURG, nil, &sa); err != nil {
		return err
	}
	sa.flags &^= saRestart
	return rtSigaction(unix.SIGURG, &sa, nil)
}

func rtSigaction(sig unix.Signal, act, old *sigaction) error {
	_, _, errno := syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(sigaction{}.mask), 0, 0)
	if errno != 0 {
		return fmt.Errorf("rt_sigaction of %v: %w", sig, errno)
	}
	return nil
}

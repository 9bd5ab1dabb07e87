package sys

import (
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	futexWait = 0
	futexWake = 1
)

// RawFutexWait sleeps, raw, while *word == value, at most for timeout (below
// zero: without end). The word may lie in memory shared between processes. It
// returns nil when woken, EAGAIN when the word had another value, ETIMEDOUT,
// or EINTR.
func RawFutexWait(word *atomic.Uint32, value uint32, timeout time.Duration) error {
	var ts *unix.Timespec
	if timeout >= 0 {
		t := unix.NsecToTimespec(int64(timeout))
		ts = &t
	}
	_, _, errno := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait,
		uintptr(value), uintptr(unsafe.Pointer(ts)), 0, 0)
	return errnoErr(errno)
}

// FutexWait is RawFutexWait through the Go scheduler: safe in any program.
func FutexWait(word *atomic.Uint32, value uint32, timeout time.Duration) error {
	var ts *unix.Timespec
	if timeout >= 0 {
		t := unix.NsecToTimespec(int64(timeout))
		ts = &t
	}
	_, _, errno := syscall.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait,
		uintptr(value), uintptr(unsafe.Pointer(ts)), 0, 0)
	return errnoErr(errno)
}

// FutexWake wakes up to n sleepers on the word, raw (it does not block), and
// returns how many it woke.
func FutexWake(word *atomic.Uint32, n int) int {
	woken, _, _ := syscall.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake,
		uintptr(n), 0, 0, 0)
	return int(woken)
}

// Word is the futex word at the start of b, which must be 4 bytes or more, in
// mapped memory and 4-aligned.
func Word(b []byte) *atomic.Uint32 {
	_ = b[3]
	return (*atomic.Uint32)(unsafe.Pointer(unsafe.SliceData(b)))
}

package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The parts of System V IPC that x/sys/unix leaves out; the same on all
// architectures of 64 bits.
const (
	ipcPrivate = 0
	ipcCreate  = 0o1000
	ipcRemove  = 0
	ipcSet     = 1
	ipcStat    = 2

	// IPCNoWait makes semop, msgsnd and msgrcv return EAGAIN or ENOMSG where they
	// would wait.
	IPCNoWait = 0o4000
)

// SemGet makes a set of n semaphores, all 0, for this user alone. It outlives
// the process until SemRemove.
func SemGet(n int) (id int, err error) {
	r, _, errno := syscall.RawSyscall(unix.SYS_SEMGET, ipcPrivate, uintptr(n), ipcCreate|0o600)
	return int(r), errnoErr(errno)
}

// SemRemove removes a set; who waits for it gets EIDRM.
func SemRemove(id int) error {
	_, _, errno := syscall.RawSyscall6(unix.SYS_SEMCTL, uintptr(id), 0, ipcRemove, 0, 0, 0)
	return errnoErr(errno)
}

// sembuf is struct sembuf.
type sembuf struct {
	num   uint16
	op    int16
	flags int16
}

// RawSemop adds delta to semaphore num of a set, raw, waiting until it can be
// taken if delta is negative; flags may be IPCNoWait. The errors are semop(2)'s:
// EAGAIN, EINTR, EIDRM, EINVAL.
func RawSemop(id, num, delta, flags int) error {
	op := sembuf{uint16(num), int16(delta), int16(flags)}
	_, _, errno := syscall.RawSyscall(unix.SYS_SEMOP, uintptr(id), uintptr(unsafe.Pointer(&op)), 1)
	return errnoErr(errno)
}

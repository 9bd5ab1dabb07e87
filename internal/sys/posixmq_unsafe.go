package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mqAttr is struct mq_attr.
type mqAttr struct {
	flags, maxMessages, messageSize, current int64
	_                                        [4]int64
}

// MQOpen makes a POSIX message queue for this user alone and opens it for both
// directions, close-on-exec. name has no slash. The errors are mq_open(2)'s:
// EMFILE for RLIMIT_MSGQUEUE, ENOSPC for queues_max, EINVAL for the other limits.
func MQOpen(name string, messages, size int) (fd int, err error) {
	p, err := unix.BytePtrFromString(name)
	if err != nil {
		return -1, err
	}
	attr := mqAttr{maxMessages: int64(messages), messageSize: int64(size)}
	r, _, errno := syscall.RawSyscall6(unix.SYS_MQ_OPEN, uintptr(unsafe.Pointer(p)),
		unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600, uintptr(unsafe.Pointer(&attr)), 0, 0)
	if errno != 0 {
		return -1, errnoErr(errno)
	}
	return int(r), nil
}

// MQUnlink removes a queue's name; the queue lives as long as its descriptors.
func MQUnlink(name string) error {
	p, err := unix.BytePtrFromString(name)
	if err != nil {
		return err
	}
	_, _, errno := syscall.RawSyscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(p)), 0, 0)
	return errnoErr(errno)
}

// RawMQSend sends text, raw; while the queue is full it waits until a time of
// CLOCK_REALTIME, for which 0 is the past. The errors are mq_send(3)'s: EAGAIN or
// ETIMEDOUT when the queue is still full, EINTR.
func RawMQSend(fd int, text []byte, until *unix.Timespec) error {
	_, _, errno := syscall.RawSyscall6(unix.SYS_MQ_TIMEDSEND, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(text))), uintptr(len(text)), 0, uintptr(unsafe.Pointer(until)), 0)
	return errnoErr(errno)
}

// expired is a time in the past: the call does what it can at once.
var expired unix.Timespec

// RawMQReceive receives, raw, the oldest message into text, which must have room
// for the queue's message size, and returns its length; with try it does not wait.
// The errors are mq_receive(3)'s: EAGAIN or ETIMEDOUT when the queue is
// empty, EINTR.
func RawMQReceive(fd int, text []byte, try bool) (int, error) {
	var until *unix.Timespec
	if try {
		until = &expired
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_MQ_TIMEDRECEIVE, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(text))), uintptr(len(text)), 0, uintptr(unsafe.Pointer(until)), 0)
	if errno != 0 {
		return 0, errnoErr(errno)
	}
	return int(n), nil
}

package sys

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MsgType is how many bytes in front of a SysV message's text the kernel reads
// and writes: its type.
const MsgType = 8

// msgqidDS is struct msqid64_ds on architectures of 64 bits.
type msgqidDS struct {
	perm struct {
		key, uid, gid, cuid, cgid uint32
		mode, _                   uint16
		_, _                      uint16
		_                         uint32
		_, _                      uint64
	}
	stime, rtime, ctime int64
	cbytes, qnum        uint64
	qbytes              uint64
	lspid, lrpid        int32
	_, _                uint64
}

// MsgGet makes a System V message queue for this user alone. It outlives the
// process until MsgRemove.
func MsgGet() (id int, err error) {
	r, _, errno := syscall.RawSyscall(unix.SYS_MSGGET, ipcPrivate, ipcCreate|0o600, 0)
	return int(r), errnoErr(errno)
}

// MsgRemove removes a queue with what is in it; who waits for it gets EIDRM.
func MsgRemove(id int) error {
	_, _, errno := syscall.RawSyscall(unix.SYS_MSGCTL, uintptr(id), ipcRemove, 0)
	return errnoErr(errno)
}

// MsgStat tells how many bytes of text a queue holds at most, and how many
// messages are in it.
func MsgStat(id int) (capacity, messages int, err error) {
	var ds msgqidDS
	_, _, errno := syscall.RawSyscall(unix.SYS_MSGCTL, uintptr(id), ipcStat, uintptr(unsafe.Pointer(&ds)))
	return int(ds.qbytes), int(ds.qnum), errnoErr(errno)
}

// MsgSetCapacity changes it; above the system's msgmnb that needs CAP_SYS_RESOURCE.
func MsgSetCapacity(id, bytes int) error {
	var ds msgqidDS
	_, _, errno := syscall.RawSyscall(unix.SYS_MSGCTL, uintptr(id), ipcStat, uintptr(unsafe.Pointer(&ds)))
	if errno != 0 {
		return errnoErr(errno)
	}
	ds.qbytes = uint64(bytes)
	_, _, errno = syscall.RawSyscall(unix.SYS_MSGCTL, uintptr(id), ipcSet, uintptr(unsafe.Pointer(&ds)))
	return errnoErr(errno)
}

// RawMsgSend sends, raw, the text frame[MsgType:] with the type 1, which it writes
// to the bytes in front of it. flags may be IPCNoWait. The errors are
// msgsnd(2)'s: EAGAIN, EINTR, EIDRM, EINVAL.
func RawMsgSend(id int, frame []byte, flags int) error {
	*(*int64)(unsafe.Pointer(&frame[0])) = 1
	_, _, errno := syscall.RawSyscall6(unix.SYS_MSGSND, uintptr(id),
		uintptr(unsafe.Pointer(&frame[0])), uintptr(len(frame)-MsgType), uintptr(flags), 0, 0)
	return errnoErr(errno)
}

// RawMsgReceive receives, raw, the first message of any type, its text into
// frame[MsgType:] and its type in front, and returns the length of the text. The
// errors are msgrcv(2)'s: ENOMSG, EINTR, E2BIG, EIDRM, EINVAL.
func RawMsgReceive(id int, frame []byte, flags int) (int, error) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_MSGRCV, uintptr(id),
		uintptr(unsafe.Pointer(&frame[0])), uintptr(len(frame)-MsgType), 0, uintptr(flags), 0)
	if errno != 0 {
		return 0, errnoErr(errno)
	}
	return int(n), nil
}

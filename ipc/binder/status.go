package binder

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/parcel"
)

// ErrClosed reports use of a ProcessState or Proxy that this process has
// closed, also by a call that was waiting.
var ErrClosed = errors.New("binder: closed")

// ErrFrozen reports a call to a frozen process. Such an error is a
// FailedTransaction as well.
var ErrFrozen = errors.New("binder: the process is frozen")

// Status is Android's status_t: what a transaction that was answered without
// data came to. Every value but OK is an error.
type Status int32

// The values of libutils' Errors.h that Binder uses.
const (
	OK                 Status = 0
	UnknownError       Status = -1 << 31
	BadType            Status = -1<<31 + 1
	FailedTransaction  Status = -1<<31 + 2
	FDsNotAllowed      Status = -1<<31 + 7
	UnexpectedNull     Status = -1<<31 + 8
	PermissionDenied   Status = -Status(unix.EPERM)
	NameNotFound       Status = -Status(unix.ENOENT)
	WouldBlock         Status = -Status(unix.EAGAIN)
	NoMemory           Status = -Status(unix.ENOMEM)
	AlreadyExists      Status = -Status(unix.EEXIST)
	NoInit             Status = -Status(unix.ENODEV)
	BadValue           Status = -Status(unix.EINVAL)
	DeadObject         Status = -Status(unix.EPIPE)
	InvalidOperation   Status = -Status(unix.ENOSYS)
	NotEnoughData      Status = -Status(unix.ENODATA)
	UnknownTransaction Status = -Status(unix.EBADMSG)
	BadIndex           Status = -Status(unix.EOVERFLOW)
	TimedOut           Status = -Status(unix.ETIMEDOUT)
)

var statusNames = map[Status]string{
	OK:                 "OK",
	UnknownError:       "UNKNOWN_ERROR",
	BadType:            "BAD_TYPE",
	FailedTransaction:  "FAILED_TRANSACTION",
	FDsNotAllowed:      "FDS_NOT_ALLOWED",
	UnexpectedNull:     "UNEXPECTED_NULL",
	PermissionDenied:   "PERMISSION_DENIED",
	NameNotFound:       "NAME_NOT_FOUND",
	WouldBlock:         "WOULD_BLOCK",
	NoMemory:           "NO_MEMORY",
	AlreadyExists:      "ALREADY_EXISTS",
	NoInit:             "NO_INIT",
	BadValue:           "BAD_VALUE",
	DeadObject:         "DEAD_OBJECT",
	InvalidOperation:   "INVALID_OPERATION",
	NotEnoughData:      "NOT_ENOUGH_DATA",
	UnknownTransaction: "UNKNOWN_TRANSACTION",
	BadIndex:           "BAD_INDEX",
	TimedOut:           "TIMED_OUT",
}

// Error is the name that libutils gives the status.
func (s Status) Error() string {
	if name, ok := statusNames[s]; ok {
		return "binder: " + name
	}
	return fmt.Sprintf("binder: status %d", int32(s))
}

// statusOf is the status that tells a caller of what a handler returned.
func statusOf(err error) Status {
	var status Status
	switch {
	case err == nil:
		return OK
	case errors.As(err, &status):
		return status
	case errors.Is(err, parcel.ErrShort):
		return NotEnoughData
	case errors.Is(err, parcel.ErrInvalid):
		return BadType
	case errors.Is(err, parcel.ErrNull):
		return UnexpectedNull
	}
	return UnknownError
}

// TransactionError is a transaction that the driver refused or could not
// deliver, or whose reply could not be.
type TransactionError struct {
	// Return is what the driver said: BR_FAILED_REPLY, BR_DEAD_REPLY or
	// BR_FROZEN_REPLY.
	Return abi.Return
	// Errno is the driver's reason (BINDER_GET_EXTENDED_ERROR), 0 where it
	// gives none.
	Errno unix.Errno
}

// Error says what the driver said, and its reason.
func (e *TransactionError) Error() string {
	if e.Errno == 0 {
		return fmt.Sprintf("binder: %v", e.Return)
	}
	return fmt.Sprintf("binder: %v (%v)", e.Return, e.Errno)
}

// Is matches the Status that libbinder makes of the return, ErrFrozen, and the
// driver's reason.
func (e *TransactionError) Is(target error) bool {
	switch target {
	case DeadObject:
		return e.Return == abi.BR_DEAD_REPLY
	case FailedTransaction:
		return e.Return != abi.BR_DEAD_REPLY
	case ErrFrozen:
		return e.Return == abi.BR_FROZEN_REPLY
	}
	return e.Errno != 0 && target == e.Errno
}

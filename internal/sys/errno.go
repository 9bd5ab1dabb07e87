package sys

import "syscall"

// The errors of hot paths, boxed once: a conversion of an errno to an error
// allocates.
var (
	errEAGAIN    error = syscall.EAGAIN
	errEINTR     error = syscall.EINTR
	errETIMEDOUT error = syscall.ETIMEDOUT
)

func errnoErr(e syscall.Errno) error {
	switch e {
	case 0:
		return nil
	case syscall.EAGAIN:
		return errEAGAIN
	case syscall.EINTR:
		return errEINTR
	case syscall.ETIMEDOUT:
		return errETIMEDOUT
	}
	return e
}

package binder

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// BecomeContextManager makes b the object behind handle 0 of the device, which
// every process can call without having been given it. Errors wrap unix.EBUSY
// if there is one, and unix.EPERM if the device belongs to another user's.
func (ps *ProcessState) BecomeContextManager(b *Binder) error {
	ps.locals.setManager(b)
	err := ps.do(func(t *IPCThreadState) error { return t.setContextManager(b) })
	if err != nil {
		ps.locals.setManager(nil)
		return fmt.Errorf("binder: become context manager of %s: %w", ps.device.Name(), err)
	}
	return nil
}

func (l *locals) setManager(b *Binder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.manager = b
}

// setContextManager uses the request with flags; drivers before 5.0 have only
// the other, whose manager cannot be sent descriptors.
func (t *IPCThreadState) setContextManager(b *Binder) error {
	obj := b.flat()
	obj.Binder, obj.Cookie = 0, 0
	obj.Encode(t.argument())
	err := t.request(abi.BINDER_SET_CONTEXT_MGR_EXT)
	if errors.Is(err, unix.EINVAL) {
		err = t.ioctl(abi.BINDER_SET_CONTEXT_MGR, 4)
	}
	return err
}

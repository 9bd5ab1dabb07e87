package binder

import (
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// execute is executeCommand: it acts on what the driver says to a process, as
// opposed to what answers a thread's own call.
func (t *IPCThreadState) execute(ret abi.Return, payload []byte) error {
	switch ret {
	case abi.BR_OK, abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE:
		return nil
	case abi.BR_SPAWN_LOOPER:
		t.ps.spawnLooper()
		return nil
	case abi.BR_TRANSACTION, abi.BR_TRANSACTION_SEC_CTX:
		var tr abi.TransactionData
		tr.Decode(payload)
		return t.serve(&tr)
	case abi.BR_INCREFS, abi.BR_ACQUIRE, abi.BR_RELEASE, abi.BR_DECREFS:
		var node abi.PtrCookie
		node.Decode(payload)
		return t.countReference(ret, node)
	case abi.BR_DEAD_BINDER:
		return t.deadBinder(abi.Uint64(payload))
	case abi.BR_CLEAR_DEATH_NOTIFICATION_DONE:
		t.ps.deaths.cleared(abi.Uint64(payload))
		return nil
	case abi.BR_ERROR:
		return fmt.Errorf("binder: driver: %w", unix.Errno(-int32(abi.Uint32(payload))))
	}
	return fmt.Errorf("binder: unexpected %v: %w", ret, unix.EPROTO)
}

// countReference follows the driver's references to one of the process's own
// binders, and tells it when they have been counted.
func (t *IPCThreadState) countReference(ret abi.Return, node abi.PtrCookie) error {
	switch ret {
	case abi.BR_INCREFS:
		return t.queueNode(abi.BC_INCREFS_DONE, node)
	case abi.BR_ACQUIRE:
		t.ps.locals.acquire(node.Cookie)
		return t.queueNode(abi.BC_ACQUIRE_DONE, node)
	case abi.BR_RELEASE:
		t.ps.locals.release(node.Cookie)
	}
	return nil // BR_DECREFS: a weak reference keeps nothing alive here
}

package shm

import (
	"fmt"
	"sync/atomic"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// signal is a position in shared memory that one end raises and the other waits
// for.
type signal interface {
	// raise publishes a position and wakes the waiter.
	raise(position uint32)
	// wait returns when the position is another than seen, or the end is over.
	wait(seen uint32) (uint32, error)
	// peek is the position now.
	peek() uint32
}

// errSilent reports a wake-up without a message.
var errSilent = fmt.Errorf("%w: woken for nothing", ipc.ErrProtocol)

// waiting is what the waits of one end share.
type waiting struct {
	how    ipc.Wait
	ending ipc.Ending
	ledger *copies.Ledger
	asleep atomic.Bool // on a futex, or about to be
}

package transport

import "ipcbench/ipc/binder"

// kind is what a call is for.
type kind uint32

const (
	kindCall = kind(binder.FirstCallTransaction) + iota
	kindDrain
	kindStop
)

const (
	kindBits   = 2
	clientBits = 6
	countBits  = 16

	// maxClients of a channel, which codes can tell apart.
	maxClients = 1 << clientBits
	// maxBacklog is half of what a count can tell apart.
	maxBacklog = 1 << (countBits - 1)
)

// code is the code of a call, within what Binder leaves to interfaces: what it is
// for, whose it is, and how many one-way calls that client has made so far. A driver
// does not tell who made a one-way call.
func code(k kind, client int, sent uint32) uint32 {
	return uint32(k) | uint32(client)<<kindBits | sent<<(32-countBits)>>(32-countBits-kindBits-clientBits)
}

// parts takes a code apart.
func parts(code uint32) (k kind, client int, sent uint32) {
	return kind(code & (1<<kindBits - 1)), int(code >> kindBits & (maxClients - 1)), code >> (kindBits + clientBits) & (1<<countBits - 1)
}

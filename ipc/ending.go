package ipc

import "sync/atomic"

// Ending remembers why an end of a channel is over, for the operation that
// finds out in the middle of a wait. The zero Ending is none. Whoever sets it
// wakes the waiter afterwards.
type Ending struct{ reason atomic.Uint32 }

const (
	peerGone uint32 = 1 << iota
	closedHere
)

// PeerGone says that the other end is closed or dead.
func (e *Ending) PeerGone() { e.reason.Or(peerGone) }

// Close says that this end is closed, and reports whether it was not before.
func (e *Ending) Close() (first bool) { return e.reason.Or(closedHere)&closedHere == 0 }

// Closed reports whether this end is closed.
func (e *Ending) Closed() bool { return e.reason.Load()&closedHere != 0 }

// Err is ErrClosed after Close, else ErrPeerGone after PeerGone, else nil.
func (e *Ending) Err() error {
	switch r := e.reason.Load(); {
	case r == 0:
		return nil
	case r&closedHere != 0:
		return ErrClosed
	}
	return ErrPeerGone
}

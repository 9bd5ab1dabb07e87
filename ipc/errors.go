package ipc

import "errors"

// Errors of the contract. Transports wrap them with %w and say what they were
// doing; "this machine cannot do that" wraps errors.ErrUnsupported instead.
var (
	// ErrClosed reports use of an end that this process has closed, also by
	// a blocked call that Close interrupted.
	ErrClosed = errors.New("closed")
	// ErrPeerGone reports that the process at the other end has closed its
	// end or died, between messages or in the middle of one.
	ErrPeerGone = errors.New("peer is gone")
	// ErrTooLarge reports a payload above what the transport or the channel's
	// configuration can carry.
	ErrTooLarge = errors.New("payload too large")
	// ErrProtocol reports bytes from the other end that cannot be a message.
	ErrProtocol = errors.New("protocol violation")
	// ErrNoResources reports a limit of the system that is reached now but
	// may not be tomorrow: queue bytes, pipe pages, room in /dev/shm.
	ErrNoResources = errors.New("not enough system resources")
	// ErrUnknownTransport reports a name that the registry does not have.
	ErrUnknownTransport = errors.New("unknown transport")
)

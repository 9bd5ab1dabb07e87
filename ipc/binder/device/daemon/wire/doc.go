// Package wire is what a daemon and its clients have in common: the messages on
// their socket, and the page that each client thread shares with the daemon.
//
// The socket, of type SOCK_SEQPACKET, is for what is rare: opening, mapping,
// new threads. A connection is an open file: its end is the file's release. Each
// message of the client is answered by one of the daemon, which may carry
// descriptors.
//
// Calls go through the page. Both sides write to it and wait for each other on
// its two bells. What the daemon takes from it, it copies once before it looks
// at it; what it has written there it never reads back.
package wire

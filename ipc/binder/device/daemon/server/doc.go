// Package server is the daemon of the Binder device daemon: the driver with an
// arena of its own, and a goroutine for each client, and for each of their threads.
//
// # Calls
//
// A thread's goroutine waits for the thread to ring, takes the request out of the
// page into memory of its own, and only then looks at it. It carries the ioctl
// out with the thread itself as the driver's Task. A call that has to wait for work
// is parked: its goroutine goes back to the bell. The sender that brings the work
// then ends the receiver's call in its own goroutine and rings the receiver, so
// that a transaction costs two switches each way, as it must where a third process
// stands between two: sender to daemon, daemon to receiver. Only what may have to wait for the
// receiver itself, because descriptors come with it, is left to the receiver's
// own goroutine.
//
// # Trust
//
// Who a client is comes from the kernel (SO_PEERCRED and a pidfd), and nothing of
// it from a message. Everything in a page may be wrong, and may change at any
// time; the same holds for memory that the daemon is told to read. A client that
// breaks the protocol is hung up on. Regions are memory files, sealed against
// every writer that comes after the daemon (F_SEAL_FUTURE_WRITE) and against
// changes of size. What a process can take of the daemon is limited (Limits).
//
// To read another user's processes takes CAP_SYS_PTRACE. A daemon that has it looks
// after each read whether the process is still the one that connected and has not
// gained rights by executing another program.
//
// # Lock order
//
// A thread's call state (thread.state), which is taken without waiting; then the
// driver's own locks. process.post is held while the client receives a descriptor,
// and only that client can make it last. Server.mu, process.mu, regions.mu and
// files.mu are leaves.
//
// # Known gaps
//
// The processor time that a client makes the daemon spend is not limited but by
// the scheduler. Client and daemon have to be in one pid namespace.
package server

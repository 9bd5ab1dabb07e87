// Package server is the daemon of the Binder device daemon: the driver with an
// arena of its own, a goroutine for each client, and workers that serve the clients'
// threads.
//
// # Calls
//
// A worker waits for its thread to ring, takes the request out of the page into
// memory of the daemon, and only then looks at it. It carries the ioctl out with the
// thread itself as the driver's Task. A call that has to wait for work is parked, and
// its thread has no worker then. The worker that brings the work ends the receiver's
// call itself, rings the receiver, and serves it next: the receiver's reply will
// bring the sender back. So a transaction costs two switches each way, as it must
// where a third process stands between two: sender to daemon, daemon to receiver.
// And where the daemon shares a processor with the receiver, its worker is often
// still awake when the reply comes, so that nobody has to wake it.
//
// There are as many workers as threads, and each serves one at a time: a thread whose
// call takes long, because reading its memory does, holds up nobody else. Only what
// may have to wait for the receiver itself, because descriptors come with it or
// because it reads elsewhere than in its page, is left to a worker of the receiver's
// own.
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
// and only that client can make it last. Server.mu, process.mu, regions.mu,
// files.mu and pool.mu are leaves.
//
// # Known gaps
//
// The processor time that a client makes the daemon spend is not limited but by
// the scheduler. Client and daemon have to be in one pid namespace.
package server

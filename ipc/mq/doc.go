// Package mq carries messages in the system's message queues, System V's and
// POSIX's: two queues a connection, one a direction.
//
// # What was tuned, and why
//
// A queue takes messages of 8 KiB as most systems are set up (msgmax,
// msgsize_max; both are probed), so larger ones are split, and joined where they
// belong: fragments are sent from where the payload was produced and received
// where it will be read. System V wants 8 bytes for a type in front of each
// fragment. They are taken from the headroom or from the payload before, and put
// back. No byte is staged, so the kernel's two copies are the only ones.
//
// One queue a direction spares the kernel the search by type, and each direction has
// the whole capacity. A System V queue is enlarged where permitted
// (CAP_SYS_RESOURCE); a POSIX queue is as long and its messages as large as
// RLIMIT_MSGQUEUE leaves room for, that limit having been raised as far as
// permitted while the queues are made.
//
// The header is not padded, as it is for streams: the kernel's messages begin 48
// bytes behind a page's start and fragments 16 before one. A distance of 64 is none
// of those that slow string copies down (see ipc/internal/stream).
//
// Adaptive waits and spinning try without waiting: IPC_NOWAIT, a deadline in the past,
// O_NONBLOCK.
//
// # Ends
//
// A POSIX queue loses its name as soon as it is made and lives as long as its
// descriptors. A System V queue has only an identifier, and whoever lives removes
// it: the creator when it closes the link; an end when it closes, or cannot take
// up its handover. An end that has sent what is not read yet leaves that queue to
// the peer when it closes, but goes on watching it, and removes the queue when the
// peer has closed or died.
//
// A send that waits in a full queue is ended by the queue's removal, System V's,
// and looks for itself once in 10 ms, POSIX's.
//
// # Lock order, known gaps
//
// No locks but [ipc.Gate]. When all three processes of a connection are killed, a
// System V queue stays; a POSIX queue does if its creator is killed between two
// system calls. A client that closes while its own send waits in a full System V
// queue loses what it sent before and was not read. A clock that is set back
// delays the end of a POSIX send by as much. A fragment is trusted to no more than
// its length says.
package mq

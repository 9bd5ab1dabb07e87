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
// Adaptive waits and spinning try without waiting: IPC_NOWAIT, a deadline in the past,
// O_NONBLOCK.
//
// # Ends
//
// A POSIX queue loses its name as soon as it is made and lives as long as its
// descriptors. A System V queue has only an identifier: each end removes the queue
// it receives from, the creator removes both, and whoever sees its peer gone
// removes what the peer would have read. What was sent before is still read.
//
// # Lock order, known gaps
//
// No locks but [ipc.Gate]. When all three processes of a connection are killed, a
// System V queue stays; a POSIX queue does if its creator is killed between two
// system calls. A fragment is trusted to no more than its length says.
package mq

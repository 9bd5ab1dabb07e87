// Package shm carries messages in System V shared memory.
//
// What all its transports share is a lane for each direction of a connection
// (lane.go): a ring of entries that one end fills and the other empties. They
// differ in where the payload is and in what wakes the other end:
//
//	shm          copied into a slot of the segment by the sender, read there; futex
//	shm-sem      likewise; SysV semaphores
//	shm-inplace  produced in the segment in a buffer that is lent, read there; futex
//	cma          fetched from the sender's memory by process_vm_readv; futex
//
// # What was tuned, and why
//
// The segment is marked for removal as soon as its creator is attached, and
// Linux still lets the ends attach: nothing can be left behind, whoever is killed.
//
// A ping-pong moves two cache lines more than its payload needs, one a direction:
// position, wake bit, progress of the other direction and the header of slot 0 lie
// together, and slot 0 is used whenever the receiver is done with everything
// (last in, first out). The wake bit lies in the position's own word, so
// that one exchange publishes, learns whether the receiver sleeps, and takes the
// bit away: no wake without a sleeper, and no order between two words to get
// right.
//
// A burst flows through up to 64 slots, at most 256 KiB (but two slots always);
// the receiver tells its progress once in half a ring or when it runs dry.
//
// All pages of the slots are present before the first message.
//
// The semaphores of shm-sem count the messages: one semop of each end for a message,
// with IPC_NOWAIT while an end spins. Looking at the memory first would make
// spinning and adaptive rows those of shm.
//
// Where nothing is staged (shm-inplace, cma) the buffer that was sent is the
// message, so a one-way send returns when the receiver has read it. A call
// needs no such wait.
//
// # Trust
//
// Both ends write the same memory at any time. The receiver fetches each value
// once, then checks or masks it; nothing that a peer writes makes it
// panic or read outside the segment. The payload itself is read where the
// peer can still change it: that is what sharing memory means.
//
// # Lock order, known gaps
//
// No locks. An end of cma is believed its process id, so it can make the other read
// whatever that is permitted to read. When all three processes of a connection are
// killed, the semaphores of shm-sem stay; any one that lives removes them. Close
// may come from any goroutine, and replaces the memory by zero
// pages where an operation or a handler may still read; the addresses stay
// reserved until the process ends. A receiver that is in its handler for long
// may hold up to half a ring of slots that it is done with.
package shm

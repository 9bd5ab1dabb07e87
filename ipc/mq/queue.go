package mq

// queue is one direction of a connection: a message queue of the system, whose
// messages carry fragments. A call that would wait where it was told to try
// returns EAGAIN; one whose queue has been removed, EIDRM.
type queue interface {
	// front is how many bytes in front of a fragment a call overwrites.
	front() int
	// send sends frame[front:].
	send(frame []byte, try bool) error
	// receive receives a fragment into frame[front:] and returns its length.
	receive(frame []byte, try bool) (int, error)
	// interrupt makes the peer's death known to an operation of this end that
	// waits: for the queue that it receives from, or sends to.
	interruptReceive()
	interruptSend()
	// close lets go of the queue; keep leaves what is in it to the peer, who
	// removes the queue.
	close(keep bool) error
}

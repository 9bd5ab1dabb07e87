package device

// Tracer is a Device that tells of the steps that its driver makes for the
// threads of this process.
type Tracer interface {
	// Trace has tell called at each step. It is called before any Open; tell is
	// quick, and does not call the device.
	Trace(tell func(Step))
}

// Step is a step in the life of a buffer.
type Step struct {
	// Name is "allocate", "copy", "queue" or "wake", which the sender's thread
	// does, or "read" or "free", which the receiver's does.
	Name string
	// Thread is the key of the thread that made it.
	Thread int32
	// Owner is the process in whose region the buffer lies, Buffer its address
	// there, and Size the bytes of payload in it.
	Owner        int32
	Buffer, Size uint64
}

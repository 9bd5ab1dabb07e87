// Package stream is what transports over descriptors with read and write have
// in common: the framing of messages, the waits, and taking descriptors over
// from another process. A transport says how a pair of ends is made and tuned
// ([Kind]); everything else is here.
//
// # Framing
//
// A message is its header, padded to [HeaderSize], followed by its payload,
// contiguous in the memory it was produced in, so that one write carries both. The receiver reads both in
// one call into memory where the payload starts on a page; whatever a message
// lacks then is read straight into its place. A read may bring several small
// messages at once, which are handed out where they lie. No byte is ever moved
// in user space, so the two copies of the kernel are the only ones.
//
// # Lock order, known gaps
//
// There is no lock but the [ipc.Gate] of each connection. The rows that go
// through Go's poller count one system call for each Read or Write; retries and
// the poller's own waits happen in the runtime, out of the ledger's sight.
package stream

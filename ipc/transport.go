package ipc

import (
	"fmt"
	"os"
	"slices"

	"ipcbench/ipc/copies"
)

// MaxPayload bounds what any channel is asked to carry, in bytes.
const MaxPayload = 64 << 20

// Info describes a transport; it does not depend on the machine.
type Info struct {
	// Name is the transport's name in flags and results.
	Name string
	// Summary says in one line what carries the payload and what wakes the
	// peer.
	Summary string
	// Waits that the transport can do.
	Waits []Wait
	// RuntimeSafe: it enters the kernel through the Go runtime, and may run in
	// any Go program. Otherwise see the package comment.
	RuntimeSafe bool
	// InPlace: requests and replies are produced in memory that the
	// transport lends, instead of the producer's own.
	InPlace bool
	// PoolThreads is how many threads its server may block when that is not
	// one a client: the size of a pool of its own.
	PoolThreads int
	// Optional keeps it out of the default matrix.
	Optional bool
}

// CanWait reports whether the transport knows the wait.
func (i Info) CanWait(w Wait) bool { return slices.Contains(i.Waits, w) }

// Config is what a channel is created for. Creator, server and clients use the
// same one.
type Config struct {
	// MaxRequest and MaxReply bound the payloads, in bytes.
	MaxRequest, MaxReply int
	// Clients is the number of clients, at least 1.
	Clients int
	// Wait is how both ends wait.
	Wait Wait
	// HugePages asks for payload buffers on huge pages; see NewHugeBuffer.
	HugePages bool `json:",omitempty"`
}

// Validate reports a configuration that no transport could meet.
func (c Config) Validate() error {
	if c.Clients < 1 {
		return fmt.Errorf("%d clients: at least 1 is needed", c.Clients)
	}
	if c.MaxRequest < 0 || c.MaxReply < 0 {
		return fmt.Errorf("negative payload size")
	}
	if n := max(c.MaxRequest, c.MaxReply); n > MaxPayload {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, n, MaxPayload)
	}
	return nil
}

// Transport is one IPC mechanism.
type Transport interface {
	Info() Info

	// Check reports, without leaving anything behind, why a channel of this
	// configuration cannot be created here: an error that wraps
	// errors.ErrUnsupported (this machine lacks it), ErrTooLarge or
	// ErrNoResources (a limit, probed now).
	Check(Config) error

	// Create makes the kernel objects of a channel.
	Create(Config) (Link, error)

	// Listen takes the server's handover, in the server's process, and owns
	// its files from then on, also when it fails.
	Listen(Config, Handover) (Server, error)

	// Dial takes a client's handover likewise.
	Dial(Config, Handover) (Client, error)
}

// Link is a created channel, in the hands of its creator.
type Link interface {
	// Server and Client (0 ≤ i < Config.Clients) yield the handovers, once
	// each. Their files belong to the caller, who closes them when the
	// process that inherits them has started: as long as any copy of an end
	// is open, the other end cannot see its process die.
	Server() (Handover, error)
	Client(i int) (Handover, error)
	// Notes says how the channel was sized and tuned, for the result.
	Notes() []string
	// Close removes what would outlive the processes (queues, segments,
	// names) and the files that were not handed over. It is idempotent.
	Close() error
}

// Handover is what a process needs to take up its end.
type Handover struct {
	// Files to inherit; their order has a meaning to the transport.
	Files []*os.File
	// Data is what cannot be a descriptor: a queue's key, a name.
	Data []byte
}

// Close closes the files.
func (h Handover) Close() error {
	var first error
	for _, f := range h.Files {
		if err := f.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Brokered is a transport whose messages pass through a process of its own,
// which the harness starts, places and accounts for like the other two. Its
// links are BrokeredLinks.
type Brokered interface {
	Transport
	// Broker takes the broker's handover, in the broker's process.
	Broker(Config, Handover) (Broker, error)
}

// BrokeredLink is a Link with a broker.
type BrokeredLink interface {
	Link
	// Broker yields the broker's handover, as Server and Client do.
	Broker() (Handover, error)
}

// Broker is the process in the middle.
type Broker interface {
	// Run brokers until every client has stopped; it calls running once it
	// is able to. It may be called again after nil.
	Run(running func()) error
	// Ledger counts what the broker copies and calls.
	Ledger() *copies.Ledger
	// Close makes Run return and lets go of everything.
	Close() error
}

// Resting is a Broker that cannot tell when the clients have stopped, because it
// serves whoever comes: it is told.
type Resting interface {
	Broker
	// Rest makes Run return. The clients have stopped.
	Rest()
}

// Client is the calling end. It belongs to one goroutine, which is locked to
// its OS thread unless the transport is RuntimeSafe; only Close may be called
// from another.
type Client interface {
	// Buffer returns memory to produce requests of up to n bytes in: the
	// process's own, or the transport's where Info says InPlace. It lives
	// until Close.
	Buffer(n int) (*Buffer, error)
	// Call sends the request and waits for the reply, which it returns where
	// the transport put it: readable until the next method call on the client.
	// The request's contents are unchanged afterwards.
	Call(request *Buffer) (reply []byte, err error)
	// Send sends a request that is not answered, and returns when the
	// transport has taken it.
	Send(request *Buffer) error
	// Stop ends this client's serving: when it returns, the server has
	// handled everything sent before and left the kernel, as far as this
	// client is concerned. Calls may follow once the server serves again.
	Stop() error
	// Ledger counts what this end copies and calls.
	Ledger() *copies.Ledger
	// Close lets go of everything; a blocked call returns ErrClosed.
	Close() error
}

// Server is the serving end of all clients of a channel.
type Server interface {
	// Serve handles requests until every client has stopped (nil), Close is
	// called (ErrClosed), or an end fails. It may be called again after nil.
	Serve(Service) error
	// Close makes Serve return and lets go of everything.
	Close() error
}

// Thread is a serving thread, as its handler sees it.
type Thread interface {
	// Buffer returns memory to produce replies in; as Client.Buffer.
	Buffer(n int) (*Buffer, error)
	// Ledger counts what this thread copies and calls.
	Ledger() *copies.Ledger
}

// Service makes the handlers of a server's threads.
type Service interface {
	// NewHandler is called on each thread as it begins to serve.
	NewHandler(Thread) (Handler, error)
}

// Handler serves the requests of one thread.
type Handler interface {
	// Handle sees the request where the transport put it, readable until it
	// returns, and returns the reply in a buffer of the thread's, whose
	// contents the transport leaves unchanged. The reply to a request that
	// was sent one-way (oneway) is ignored and may be nil.
	Handle(request []byte, oneway bool) (reply *Buffer)
	// Done is called on the same thread when it ends serving.
	Done()
}

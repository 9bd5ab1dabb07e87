// Package ipc is the contract that every transport of the benchmark meets: how
// a channel between processes is created, handed over to them, served, called
// and closed.
//
// # The life of a channel
//
// One process, the creator, asks a [Transport] to Create a [Link]: the kernel
// objects (pipes, queues, segments, a Binder context) for one server and a
// number of clients. The link yields one [Handover] for the server and one for
// each client: descriptors to inherit and a few bytes of data. Each process
// turns its handover into a [Server] (Listen) or a [Client] (Dial). The creator
// closes the link at the end, which removes whatever would outlive the
// processes.
//
// A client calls: it produces a request in a [Buffer] and gets the reply as the
// transport holds it. A server runs a [Handler] for each of its threads; the
// handler sees the request where the transport put it and answers from memory
// of its own. Nothing is copied on the way to or from the handler that the
// mechanism itself does not copy.
//
// # Two ways to write a transport
//
// A transport whose two ends are alike (a pipe pair, a socket, two queues, two
// rings) implements only [Conn], a duplex channel of messages; [NewClient] and
// [NewServer] do the rest, with one thread a connection. A transport with
// threads and dispatch of its own, as Binder has, implements Client and Server
// itself.
//
// # Threads and the Go runtime
//
// Client.Call and the threads of a Server enter the kernel by raw system calls
// unless the transport's Info says RuntimeSafe: a blocked thread then keeps its
// Go processor, and the garbage collector cannot run. That is right for a
// measuring worker, which parks its collector, and wrong for a library. A
// process that uses such a transport needs GOMAXPROCS above the number of its
// blocked threads and must not let the collector start while one is blocked.
//
// # Lock order, known gaps
//
// The package holds no lock while it calls a transport. A Client and each
// serving thread belong to one goroutine; only Close may be called from
// another. A SIGSTOPped peer blocks its partner, as it does for any such
// mechanism.
package ipc

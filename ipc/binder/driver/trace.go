package driver

import "ipcbench/ipc/binder/driver/arena"

// Event is a step in the life of a buffer, as one of this process's threads made
// it.
type Event struct {
	Kind   EventKind
	Thread int32  // that made it
	Owner  int32  // the process in whose region the buffer lies
	Buffer uint64 // its address there
	Size   uint64 // bytes of payload
}

// EventKind is what happened.
type EventKind uint8

// The steps of a transaction, in their order.
const (
	EventAllocate EventKind = iota // the sender takes a buffer of the target's region
	EventCopy                      // and has copied the payload there
	EventQueue                     // gives the transaction to the target, or one of its threads
	EventWake                      // and wakes the thread that waits
	EventRead                      // the target reads that it has the buffer
	EventFree                      // and gives it back
)

// Trace has tell called at each step, with the driver lock held more often than
// not: it must be quick, and must not call the driver. It is set before any
// thread calls the driver; nil, as it is at first, costs nothing.
func (d *Driver) Trace(tell func(Event)) { d.trace = tell }

// sends tells of a step of who sends a transaction, whose buffer is there.
func (d *Driver) sends(kind EventKind, x arena.Ref[transaction]) {
	if d.trace != nil {
		d.tellOf(kind, x)
	}
}

func (d *Driver) tellOf(kind EventKind, x arena.Ref[transaction]) {
	p := x.In(d.a)
	to, b := p.toProc.In(d.a), p.buffer.In(d.a)
	d.trace(Event{Kind: kind, Thread: p.fromTID, Owner: to.pid, Buffer: to.base + uint64(b.Offset), Size: uint64(b.Data)})
}

// receives tells of a step of who receives a transaction, with a buffer at an
// address of its region and so much payload in it.
func (t *Thread) receives(kind EventKind, buffer uint64, payload uint32) {
	if t.d.trace != nil {
		t.tell(kind, buffer, payload)
	}
}

func (t *Thread) tell(kind EventKind, buffer uint64, payload uint32) {
	t.d.trace(Event{kind, t.key, t.p.identity.PID, buffer, uint64(payload)})
}

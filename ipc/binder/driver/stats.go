package driver

import "ipcbench/ipc/binder/abi"

// Stats counts commands and returns by their numbers, and what was made for the
// sake of a thread.
type Stats struct {
	Transactions uint32
	Completes    uint32 // return codes without payload
	Commands     [abi.Commands]uint32
	Returns      [abi.Returns]uint32
}

func (s *Stats) add(o *Stats) {
	for i, n := range o.Commands {
		s.Commands[i] += n
	}
	for i, n := range o.Returns {
		s.Returns[i] += n
	}
	s.Transactions += o.Transactions
	s.Completes += o.Completes
}

// Totals counts the objects of a context: those that there are, or all that
// there ever were. Completes are return codes on their way to a thread.
type Totals struct {
	Procs, Threads, Nodes, Refs, Deaths, Transactions, Completes uint64
}

// Copies counts the bytes that the driver copied for a thread: payload of
// transactions and buffer objects, and everything else.
type Copies struct {
	PayloadFromUser uint64
	HeaderFromUser  uint64
	HeaderToUser    uint64
}

// Calls is how many system calls this process made so far to wait and to wake for
// what belongs to no thread: opening, mapping and releasing, sending threads home.
func (d *Driver) Calls() uint64 { return d.member.Calls() }

// Account is what one caller thread of the file cost so far: what was copied
// for it, and the system calls made to wait and to wake. It belongs to that
// thread, between its calls; a thread that has made none has zeros.
func (p *Proc) Account(tid int32) (c Copies, calls uint64) {
	t := p.recent.Load()
	if t == nil || t.key != tid {
		v, ok := p.threads.Load(tid)
		if !ok {
			return Copies{}, 0
		}
		t = v.(*Thread)
	}
	return t.copies, t.tx.Calls()
}

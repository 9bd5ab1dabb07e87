package driver

import (
	"bufio"
	"fmt"
	"io"

	"ipcbench/ipc/binder/abi"
)

// WriteStats writes what the kernel shows as binder/stats: how often each
// command and return passed, and how many objects there are and were, for all
// and for each process.
func (s *State) WriteStats(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "binder stats:")
	s.Stats.write(b, "")
	for _, k := range []struct {
		name          string
		active, total uint64
	}{
		{"proc", s.Active.Procs, s.Total.Procs}, {"thread", s.Active.Threads, s.Total.Threads},
		{"node", s.Active.Nodes, s.Total.Nodes}, {"ref", s.Active.Refs, s.Total.Refs},
		{"death", s.Active.Deaths, s.Total.Deaths}, {"transaction", s.Active.Transactions, s.Total.Transactions},
		{"transaction_complete", s.Active.Completes, s.Total.Completes},
	} {
		fmt.Fprintf(b, "%s: active %d total %d\n", k.name, k.active, k.total)
	}
	for i := range s.Procs {
		s.Procs[i].writeStats(b)
	}
	return b.Flush()
}

func (s *Stats) write(w io.Writer, indent string) {
	for i, n := range s.Commands {
		if n != 0 {
			fmt.Fprintf(w, "%s%v: %d\n", indent, abi.CommandByNumber(i), n)
		}
	}
	for i, n := range s.Returns {
		if n != 0 {
			fmt.Fprintf(w, "%s%v: %d\n", indent, abi.ReturnByNumber(i), n)
		}
	}
}

func (p *ProcState) writeStats(w io.Writer) {
	strong, weak, pending := int32(0), int32(0), len(p.Pending)
	for _, r := range p.Refs {
		strong, weak = strong+r.Strong, weak+r.Weak
	}
	for _, t := range p.Threads {
		pending += len(t.Pending)
	}
	fmt.Fprintf(w, "proc %d\n", p.PID)
	fmt.Fprintf(w, "  threads: %d\n", len(p.Threads))
	fmt.Fprintf(w, "  requested threads: %d+%d/%d\n  ready threads %d\n", p.Asked, p.Started, p.MaxPool, p.Ready)
	fmt.Fprintf(w, "  free async space %d\n  nodes: %d\n", p.Async, len(p.Nodes))
	fmt.Fprintf(w, "  refs: %d s %d w %d\n  buffers: %d\n", len(p.Refs), strong, weak, len(p.Buffers))
	fmt.Fprintf(w, "  pages: %d:%d:%d\n  pages high watermark: %d\n", p.Pages.Active, p.Pages.LRU, p.Pages.Free, p.Pages.Peak)
	fmt.Fprintf(w, "  pending transactions: %d\n", pending)
	p.Stats.write(w, "  ")
}

// WriteState writes what the kernel shows as binder/state: everything.
func (s *State) WriteState(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "binder state:")
	for i := range s.DeadNodes {
		s.DeadNodes[i].write(b)
	}
	for i := range s.Procs {
		s.Procs[i].write(b, true)
	}
	return b.Flush()
}

// WriteTransactions writes what the kernel shows as binder/transactions: the
// busy parts of processes.
func (s *State) WriteTransactions(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintln(b, "binder transactions:")
	for i := range s.Procs {
		s.Procs[i].write(b, false)
	}
	return b.Flush()
}

// Write writes what the kernel shows as binder/proc/<pid>.
func (p *ProcState) Write(w io.Writer) error {
	b := bufio.NewWriter(w)
	p.write(b, true)
	return b.Flush()
}

func (p *ProcState) write(w io.Writer, all bool) {
	fmt.Fprintf(w, "proc %d\ncontext binder\n", p.PID)
	for _, t := range p.Threads {
		if !all && len(t.Stack)+len(t.Pending)+t.Work == 0 {
			continue
		}
		fmt.Fprintf(w, "  thread %d: l %02x need_return %d tr %d\n", t.TID, t.bits(), bit(t.NeedReturn), len(t.Stack))
		for _, x := range t.Stack {
			kind := "incoming"
			if x.Outgoing {
				kind = "outgoing"
			}
			x.write(w, "    "+kind)
		}
		for _, x := range t.Pending {
			x.write(w, "    pending")
		}
	}
	for _, n := range p.Nodes {
		if all || n.AsyncPending > 0 {
			n.write(w)
		}
	}
	if all {
		for _, r := range p.Refs {
			r.write(w)
		}
	}
	for _, b := range p.Buffers {
		b.write(w)
	}
	for _, x := range p.Pending {
		x.write(w, "  pending")
	}
}

// bits are the looper bits as the kernel shows them.
func (t *ThreadState) bits() uint32 {
	const waiting = 0x10
	return t.Looper | waiting*bit(t.Waiting)
}

func (x *TransactionState) write(w io.Writer, what string) {
	fmt.Fprintf(w, "%s transaction %d: from %d:%d to %d:%d code %x flags %x node %d size %d:%d\n",
		what, x.ID, x.FromPID, x.FromTID, x.ToPID, x.ToTID, x.Code, uint32(x.Flags), x.Node, x.Data, x.Offsets)
}

func (n *NodeState) write(w io.Writer) {
	fmt.Fprintf(w, "  node %d: u%016x c%016x hs %d hw %d ls %d lw %d is %d iw %d", n.ID, n.Ptr, n.Cookie,
		bit(n.HasStrong), bit(n.HasWeak), n.LocalStrong, n.LocalWeak, n.InternalStrong, len(n.Refs))
	if len(n.Refs) > 0 {
		fmt.Fprint(w, " proc")
		for _, pid := range n.Refs {
			fmt.Fprintf(w, " %d", pid)
		}
	}
	fmt.Fprintln(w)
	if n.AsyncPending > 0 {
		fmt.Fprintf(w, "    pending async transactions: %d\n", n.AsyncPending)
	}
}

func (r *RefState) write(w io.Writer) {
	dead := ""
	if r.NodeDead {
		dead = "dead "
	}
	fmt.Fprintf(w, "  ref %d: desc %d %snode %d s %d w %d d %d\n", r.ID, r.Handle, dead, r.Node, r.Strong, r.Weak, bit(r.Death))
}

func (b *BufferState) write(w io.Writer) {
	state := "active"
	if b.Delivered {
		state = "delivered"
	}
	fmt.Fprintf(w, "  buffer %d: %x size %d:%d:%d %s\n", b.ID, b.Offset, b.Data, b.Offsets, b.Extra, state)
}

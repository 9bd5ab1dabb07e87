package driver

import (
	"io"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// State is a picture of a context at one moment.
type State struct {
	Procs     []ProcState
	DeadNodes []NodeState
	Stats     Stats // of all processes, those that are gone included
	Total     Totals
	Active    Totals
	Manager   int32 // the context manager's pid, 0 without one

	ArenaBytes int64 // with storage
	Recoveries int   // how often the driver lock was taken from the dead
}

// ProcState is a binder_proc in a State.
type ProcState struct {
	ID       uint64
	PID      int32
	EUID     uint32
	Frozen   bool
	Dead     bool
	Threads  []ThreadState
	Nodes    []NodeState
	Refs     []RefState
	Buffers  []BufferState
	Pending  []TransactionState // in the process's queue
	Stats    Stats
	MaxPool  uint32
	Asked    uint32 // spawned, but not registered yet
	Started  uint32
	Ready    int // idle threads
	Region   int64
	Async    int64 // bytes of the budget for oneway calls that are free
	Pages    alloc.Pages
	NoticeOf int // death notices that were read and not acknowledged
}

// ThreadState is a thread in a State.
type ThreadState struct {
	TID        int32
	Looper     uint32
	Waiting    bool
	NeedReturn bool
	Stack      []TransactionState // the latest first
	Pending    []TransactionState // in the thread's queue
	Work       int                // other things in the queue
}

// TransactionState is a transaction in a State.
type TransactionState struct {
	ID              uint64
	FromPID         int32
	FromTID         int32
	ToPID           int32
	ToTID           int32
	Code            uint32
	Flags           abi.TransactionFlags
	Reply, Outgoing bool
	Node            uint64
	Data, Offsets   uint32 // bytes
}

// NodeState is a node in a State.
type NodeState struct {
	ID                                     uint64
	Ptr, Cookie                            uint64
	HasStrong, HasWeak                     bool
	LocalStrong, LocalWeak, InternalStrong int32
	Refs                                   []int32 // pids of the processes that have one
	AsyncBusy                              bool
	AsyncPending                           int
}

// RefState is a ref in a State.
type RefState struct {
	ID           uint64
	Handle       uint32
	Node         uint64
	NodeDead     bool
	Strong, Weak int32
	Death        bool // a death notice was asked for
}

// BufferState is an allocated buffer in a State.
type BufferState struct {
	ID                           uint32
	Offset, Data, Offsets, Extra uint32 // bytes
	Delivered, Async             bool
}

// State takes a picture of the context. It holds the driver lock meanwhile.
func (d *Driver) State() (s State) {
	_ = d.member.Do(func(tx *arena.Tx) error {
		s = d.snapshot()
		return nil
	})
	return s
}

// WriteStats writes the context's statistics as State.WriteStats does.
func (d *Driver) WriteStats(w io.Writer) error {
	s := d.State()
	return s.WriteStats(w)
}

func (d *Driver) snapshot() State {
	ctx := d.ctx.In(d.a)
	s := State{Total: ctx.totals, ArenaBytes: d.a.Committed(), Recoveries: d.a.Recoveries()}
	s.Active = Totals{Procs: uint64(procs.Live(d.a)), Threads: uint64(threads.Live(d.a)), Nodes: uint64(nodes.Live(d.a)),
		Refs: uint64(refs.Live(d.a)), Deaths: uint64(deaths.Live(d.a)), Transactions: uint64(transactions.Live(d.a)),
		Completes: uint64(notices.Live(d.a))}
	s.Stats.add(&ctx.stats)
	for r := ctx.procs.First; r != 0; r = r.In(d.a).rest.link.Next {
		p := d.procState(r)
		s.Active.Transactions -= d.spares(r)
		s.Stats.add(&p.Stats)
		s.Procs = append(s.Procs, p)
	}
	for n := ctx.dead.First; n != 0; n = n.In(d.a).rest.link.Next {
		s.DeadNodes = append(s.DeadNodes, d.nodeState(n))
	}
	if m := ctx.manager; m != 0 && m.In(d.a).proc != 0 {
		s.Manager = m.In(d.a).proc.In(d.a).pid
	}
	s.Total.Transactions, s.Total.Completes = uint64(s.Stats.Transactions), uint64(s.Stats.Completes)
	return s
}

// spares is how many transactions the threads of a process put aside.
func (d *Driver) spares(r arena.Ref[proc]) (n uint64) {
	root := r.In(d.a).rest.threads
	for t := threadsByTID.First(d.a, root); t != 0; t = threadsByTID.Next(d.a, root, t) {
		if t.In(d.a).spare != 0 {
			n++
		}
	}
	return n
}

func (d *Driver) procState(r arena.Ref[proc]) ProcState {
	p := r.In(d.a)
	s := ProcState{ID: p.id, PID: p.pid, EUID: p.euid, Frozen: p.frozen, Dead: p.dead, Stats: p.stats,
		MaxPool: p.rest.maxThreads, Asked: p.rest.requested, Started: p.rest.started, Region: int64(p.rest.length)}
	for t := threadsByTID.First(d.a, p.rest.threads); t != 0; t = threadsByTID.Next(d.a, p.rest.threads, t) {
		s.Stats.add(&t.In(d.a).stats)
		s.Threads = append(s.Threads, d.threadStateOf(t))
	}
	for t := p.waiting; t != 0; t = t.In(d.a).under {
		s.Ready++
	}
	for n := nodesByPtr.First(d.a, p.rest.nodes); n != 0; n = nodesByPtr.Next(d.a, p.rest.nodes, n) {
		s.Nodes = append(s.Nodes, d.nodeState(n))
	}
	for x := refsByDesc.First(d.a, p.rest.refs); x != 0; x = refsByDesc.Next(d.a, p.rest.refs, x) {
		q := x.In(d.a)
		n := q.node.In(d.a)
		s.Refs = append(s.Refs, RefState{ID: q.id, Handle: q.desc, Node: n.rest.id, NodeDead: n.proc == 0,
			Strong: q.strong, Weak: q.weak, Death: q.death != 0})
	}
	s.Pending, _ = d.queued(p.todo)
	for w := p.rest.delivered.First; w != 0; w = w.In(d.a).link.Next {
		s.NoticeOf++
	}
	if p.space != 0 {
		d.regionState(&s, p.space)
	}
	return s
}

func (d *Driver) regionState(s *ProcState, space arena.Ref[alloc.Space]) {
	s.Async = int64(space.In(d.a).AsyncFree)
	s.Pages = alloc.CountPages(d.a, space)
	for b := alloc.Next(d.a, space, 0); b != 0; b = alloc.Next(d.a, space, b.In(d.a).Offset+1) {
		q := b.In(d.a)
		s.Buffers = append(s.Buffers, BufferState{ID: q.ID, Offset: q.Offset, Data: q.Data, Offsets: q.Offsets,
			Extra: q.Extra(), Delivered: d.isDelivered(b), Async: q.Async})
	}
}

func (d *Driver) threadStateOf(r arena.Ref[thread]) ThreadState {
	t := r.In(d.a)
	s := ThreadState{TID: t.rest.tid, Looper: t.rest.looper, Waiting: t.armed, NeedReturn: t.needReturn}
	for x := t.stack; x != 0; {
		q := x.In(d.a)
		tr := d.transactionState(x)
		tr.Outgoing = q.from == r
		s.Stack = append(s.Stack, tr)
		if tr.Outgoing {
			x = q.fromParent
		} else {
			x = q.toParent
		}
	}
	s.Pending, s.Work = d.queued(t.todo)
	return s
}

// queued are the transactions of a queue, and how much else is in it.
func (d *Driver) queued(e arena.Ends[Work]) (all []TransactionState, other int) {
	for w := e.First; w != 0; w = w.In(d.a).link.Next {
		if w.In(d.a).kind == workTransaction {
			all = append(all, d.transactionState(arena.Ref[transaction](w)))
		} else {
			other++
		}
	}
	return all, other
}

func (d *Driver) transactionState(x arena.Ref[transaction]) TransactionState {
	q := x.In(d.a)
	s := TransactionState{ID: q.id, FromPID: q.fromPID, FromTID: q.fromTID, Code: q.code, Flags: q.flags, Reply: q.reply}
	if q.toProc != 0 {
		s.ToPID = q.toProc.In(d.a).pid
	}
	if q.toThread != 0 {
		s.ToTID = q.toThread.In(d.a).rest.tid
	}
	if r := d.bufferOf(x); r != 0 {
		b := r.In(d.a)
		s.Data, s.Offsets = b.Data, b.Offsets
		if n := arena.Ref[node](b.Node); n != 0 {
			s.Node = n.In(d.a).rest.id
		}
	}
	return s
}

func (d *Driver) nodeState(r arena.Ref[node]) NodeState {
	n := r.In(d.a)
	s := NodeState{ID: n.rest.id, Ptr: n.rest.ptr, Cookie: n.rest.cookie, HasStrong: n.hasStrong, HasWeak: n.hasWeak,
		LocalStrong: n.localStrong, LocalWeak: n.localWeak, InternalStrong: n.internalStrong, AsyncBusy: n.hasAsync}
	for x := n.rest.refs.First; x != 0; x = x.In(d.a).link.Next {
		s.Refs = append(s.Refs, x.In(d.a).proc.In(d.a).pid)
	}
	pending, _ := d.queued(n.async)
	s.AsyncPending = len(pending)
	return s
}

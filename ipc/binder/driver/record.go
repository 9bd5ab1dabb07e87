package driver

import (
	"sync/atomic"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// Kinds of record of the driver.
const (
	contextKind = alloc.FirstKind + iota
	procKind
	threadKind
	nodeKind
	refKind
	deathKind
	transactionKind
	noticeKind
	fixupKind
	freezeNoticeKind
)

var (
	contexts     = arena.NewKind[contextRec](contextKind, "context", arena.SizeOf[contextState]())
	procs        = arena.NewKind[proc](procKind, "proc", arena.SizeOf[procState]()).Rest(arena.SizeOf[procRest]())
	threads      = arena.NewKind[thread](threadKind, "thread", arena.SizeOf[threadState]()).Rest(arena.SizeOf[threadRest]())
	nodes        = arena.NewKind[node](nodeKind, "node", arena.SizeOf[nodeState]()).Rest(arena.SizeOf[nodeRest]())
	refs         = arena.NewKind[ref](refKind, "ref", 0)
	deaths       = arena.NewKind[death](deathKind, "death", 0)
	transactions = arena.NewKind[transaction](transactionKind, "transaction", arena.SizeOf[transactionState]())
	notices      = arena.NewKind[notice](noticeKind, "notice", 0)
	fixups       = arena.NewKind[fixup](fixupKind, "fixup", 0)

	freezeNotices = arena.NewKind[freezeNotice](freezeNoticeKind, "freeze notice", 0)

	driverKinds = []arena.AnyKind{contexts, procs, threads, nodes, refs, deaths, transactions, notices, fixups, freezeNotices}
)

// proc is binder_proc.
type proc struct {
	procState
	rest procRest
	// What follows is set when the record is made.
	owner uint64                // the device's word for the process that runs it
	slot  arena.Ref[arena.Slot] // of that process
	euid  uint32
	stats Stats // of threads that are gone; not journaled
}

// procState is what calls look at and change of a proc, on one line.
type procState struct {
	arena.Header
	todo          arena.Ends[Work]
	waiting       arena.Ref[thread] // stack of the idle ones, the most recent on top
	space         arena.Ref[alloc.Space]
	base          uint64 // where the owner sees the region
	id            uint64
	pid           int32
	pollers       uint32 // threads that are polling
	unmapped      bool
	dead          bool
	frozen        bool
	syncRecv      bool
	asyncRecv     bool
	released      bool // nothing is left but the record
	spamDetection bool
	_             bool
}

// edit is the rest for changing in the transaction, which saves it apart.
func (p *procRest) edit(tx *arena.Tx) *procRest     { p.Header.Edit(tx); return p }
func (t *threadRest) edit(tx *arena.Tx) *threadRest { t.Header.Edit(tx); return t }
func (n *nodeRest) edit(tx *arena.Tx) *nodeRest     { n.Header.Edit(tx); return n }

// procRest is what else the journal saves of a proc.
type procRest struct {
	arena.Header
	requested  uint32 // threads spawned, but not registered yet
	started    uint32
	maxThreads uint32
	nodeCount  uint32
	length     uint64            // of the region, bytes
	link       arena.Link[proc]  // in the context
	threads    arena.Ref[thread] // tree by tid
	nodes      arena.Ref[node]   // tree by ptr
	refs       arena.Ref[ref]    // tree by descriptor
	nodeRefs   arena.Ref[ref]    // tree by node
	handles    arena.IDs
	delivered  arena.Ends[Work] // death notices that were read
	toldFrozen arena.Ends[Work] // freeze notices that were read
	_          [12]byte
}

// thread is binder_thread.
type thread struct {
	threadState
	rest threadRest
	// mail is written by who wakes the thread, before it does; the word that the
	// thread sleeps on shares its line.
	mail mail
	wait arena.WaitWord
	_    [4]byte
	// What follows is the thread's own, and changed without the lock.
	mailRead atomic.Uint32 // the wake-up whose mail was read last
	stats    Stats
}

// threadState is what calls change of a thread, on one line.
type threadState struct {
	arena.Header
	proc        arena.Ref[proc]
	stack       arena.Ref[transaction]
	todo        arena.Ends[Work]
	under       arena.Ref[thread] // in proc.waiting
	mailFor     uint32            // the wake-up that the mailbox was filled for
	spare       arena.Ref[transaction]
	building    arena.Ref[transaction] // being filled, outside the lock
	overflow    abi.Return             // a notice that the arena had no room for
	processTodo bool                   // todo is worth waking up for
	complete    bool                   // BR_TRANSACTION_COMPLETE goes before todo
	needReturn  bool
	idle        bool // in proc.waiting
	armed       bool // asleep, or about to be
	polling     bool // wakes up for work, but does not read it
	leaving     bool // its stack is being taken apart, and the top is gone
	dead        bool
	failed      bool // there may be an extended error, or a returnError
	_           [3]byte
}

// threadRest is what else the lock guards and the journal saves of a thread.
type threadRest struct {
	arena.Header
	tid         int32
	branch      arena.Branch[thread] // in proc.rest.threads
	looper      uint32
	pins        uint32                 // senders that are filling a buffer for the thread
	installing  arena.Ref[transaction] // whose descriptors are being installed, outside the lock
	returnError abi.Return             // undelivered, of this thread's own command
	replyError  abi.Return             // undelivered, instead of a reply
	extended    abi.ExtendedError
	_           [4]byte
}

// node is binder_node.
type node struct {
	nodeState
	rest nodeRest
}

// nodeState is what calls change of a node, on one line.
type nodeState struct {
	Work
	proc           arena.Ref[proc] // 0: the owner is dead
	localStrong    int32
	localWeak      int32
	internalStrong int32            // refs that are strong
	async          arena.Ends[Work] // oneway transactions behind the one under way
	hasAsync       bool             // a oneway transaction is under way

	hasStrong, pendingStrong bool // what the owner was told, and has not confirmed
	hasWeak, pendingWeak     bool
	acceptFDs                bool
	securityCtx              bool
	minPriority              uint8
}

// nodeRest is what else the journal saves of a node.
type nodeRest struct {
	arena.Header
	ptr, cookie uint64
	id          uint64
	branch      arena.Branch[node] // in proc.rest.nodes
	link        arena.Link[node]   // in the context's dead ones
	refs        arena.Ends[ref]
}

// ref is binder_ref.
type ref struct {
	arena.Header
	id           uint64
	proc         arena.Ref[proc]
	node         arena.Ref[node]
	desc         uint32
	strong, weak int32
	death        arena.Ref[death]
	freeze       arena.Ref[freezeNotice]
	byDesc       arena.Branch[ref]
	byNode       arena.Branch[ref]
	link         arena.Link[ref] // in node.refs
}

// death is binder_ref_death.
type death struct {
	Work
	cookie uint64
}

// transaction is binder_transaction.
type transaction struct {
	transactionState
	// What follows is set by the sender, before the transaction is queued.
	id         uint64
	sender     arena.Ref[thread]      // may be gone
	replyTo    arena.Ref[transaction] // while building: the call that is answered
	senderPID  int32
	senderEUID uint32
	code       uint32
	flags      abi.TransactionFlags
	secCtx     uint32 // where in the buffer the security context lies
	fromPID    int32  // for diagnostics; from may be gone
	fromTID    int32
	reply      bool
	hasSecCtx  bool
}

// transactionState is the part of a transaction that the journal saves.
type transactionState struct {
	Work
	from       arena.Ref[thread]
	fromParent arena.Ref[transaction]
	toProc     arena.Ref[proc]
	toThread   arena.Ref[thread]
	toParent   arena.Ref[transaction]
	buffer     arena.Ref[alloc.Buffer]
	fixups     arena.Ref[fixup]
	needReply  bool
}

// notice is a return code without payload on its way to a thread.
type notice struct {
	Work
	code   abi.Return
	clears noticeOf // which undelivered error of the thread it is
}

// noticeOf says what a notice is about.
type noticeOf uint32

const (
	ofNothing noticeOf = iota
	ofCommand
	ofReply
)

// fixup is a descriptor on its way into a buffer.
type fixup struct {
	arena.Header
	next   arena.Ref[fixup]
	offset uint32 // in the buffer
	index  uint32
}

var (
	threadsByTID = arena.Tree[thread]{
		Key:    func(t *thread) uint64 { return uint64(uint32(t.rest.tid)) },
		Branch: func(t *thread) *arena.Branch[thread] { return &t.rest.branch },
		Rest:   func(t *thread) *arena.Header { return &t.rest.Header },
	}
	nodesByPtr = arena.Tree[node]{
		Key:    func(n *node) uint64 { return n.rest.ptr },
		Branch: func(n *node) *arena.Branch[node] { return &n.rest.branch },
		Rest:   func(n *node) *arena.Header { return &n.rest.Header },
	}
	refsByDesc = arena.Tree[ref]{
		Key:    func(r *ref) uint64 { return uint64(r.desc) },
		Branch: func(r *ref) *arena.Branch[ref] { return &r.byDesc },
	}
	refsByNode = arena.Tree[ref]{
		Key:    func(r *ref) uint64 { return uint64(r.node) },
		Branch: func(r *ref) *arena.Branch[ref] { return &r.byNode },
	}
	procList = arena.List[proc]{
		Link: func(p *proc) *arena.Link[proc] { return &p.rest.link },
		Rest: func(p *proc) *arena.Header { return &p.rest.Header },
	}
	idleThreads = arena.Stack[thread]{Under: func(t *thread) *arena.Ref[thread] { return &t.under }}
	nodeRefs    = arena.List[ref]{Link: func(r *ref) *arena.Link[ref] { return &r.link }}
	deadNodes   = arena.List[node]{
		Link: func(n *node) *arena.Link[node] { return &n.rest.link },
		Rest: func(n *node) *arena.Header { return &n.rest.Header },
	}
)

package driver

import (
	"fmt"

	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// Check says what is wrong with the context, nil if nothing is: every record
// that exists must be reachable from where it belongs, references must agree
// in both directions, and counts with what they count. It takes the driver
// lock, and time that grows with the context: for tests and diagnostics.
func (d *Driver) Check() error {
	return d.member.Do(func(tx *arena.Tx) error {
		c := checker{d: d, a: d.a}
		return c.context()
	})
}

// checker counts what it finds, to compare it with what exists.
type checker struct {
	d *Driver
	a *arena.Arena

	procs, threads, nodes, refs, deaths, freezeNotices, notices, buffers, spare int

	transactions map[arena.Ref[transaction]]bool
}

func (c *checker) damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", arena.ErrDamaged, fmt.Sprintf(format, args...))
}

func (c *checker) context() error {
	ctx := c.d.ctx.In(c.a)
	c.transactions = map[arena.Ref[transaction]]bool{}
	if _, err := procList.Check(c.a, ctx.procs); err != nil {
		return err
	}
	for r := ctx.procs.First; r != 0; r = r.In(c.a).rest.link.Next {
		if err := c.proc(r); err != nil {
			return fmt.Errorf("proc %d: %w", r.In(c.a).id, err)
		}
	}
	for r := ctx.dead.First; r != 0; r = r.In(c.a).rest.link.Next {
		if r.In(c.a).proc != 0 {
			return c.damaged("node %d is among the dead, but has an owner", r.In(c.a).rest.id)
		}
		if err := c.node(r); err != nil {
			return err
		}
	}
	return c.compare()
}

// compare is the search for leaks: what exists, and what was found.
func (c *checker) compare() error {
	for _, k := range []struct {
		name        string
		live, found int
	}{
		{"procs", procs.Live(c.a), c.procs}, {"threads", threads.Live(c.a), c.threads},
		{"nodes", nodes.Live(c.a), c.nodes}, {"refs", refs.Live(c.a), c.refs},
		{"deaths", deaths.Live(c.a), c.deaths}, {"freeze notices", freezeNotices.Live(c.a), c.freezeNotices}, {"notices", notices.Live(c.a), c.notices},
		{"transactions", transactions.Live(c.a), len(c.transactions) + c.spare}, {"buffers", alloc.Live(c.a), c.buffers},
	} {
		if k.live != k.found {
			return c.damaged("%d %s exist, %d are in use", k.live, k.name, k.found)
		}
	}
	return nil
}

func (c *checker) proc(r arena.Ref[proc]) error {
	p := r.In(c.a)
	c.procs++
	n, err := threadsByTID.Check(c.a, threads, p.rest.threads)
	if err != nil {
		return err
	}
	c.threads += n
	for t := threadsByTID.First(c.a, p.rest.threads); t != 0; t = threadsByTID.Next(c.a, p.rest.threads, t) {
		if err := c.thread(r, t); err != nil {
			return fmt.Errorf("thread %d: %w", t.In(c.a).rest.tid, err)
		}
	}
	if _, err := idleThreads.Check(c.a, p.waiting); err != nil {
		return err
	}
	for t := p.waiting; t != 0; t = t.In(c.a).under {
		if !t.In(c.a).idle || t.In(c.a).proc != r {
			return c.damaged("thread %d is listed as idle", t.In(c.a).rest.tid)
		}
	}
	if _, err := nodesByPtr.Check(c.a, nodes, p.rest.nodes); err != nil {
		return err
	}
	for n := nodesByPtr.First(c.a, p.rest.nodes); n != 0; n = nodesByPtr.Next(c.a, p.rest.nodes, n) {
		if n.In(c.a).proc != r {
			return c.damaged("node %d belongs to another", n.In(c.a).rest.id)
		}
		if err := c.node(n); err != nil {
			return err
		}
	}
	if err := c.refsOf(r); err != nil {
		return err
	}
	if err := c.queue(p.todo, procTodo, uint32(r)); err != nil {
		return err
	}
	if err := c.queue(p.rest.delivered, procDelivered, uint32(r)); err != nil {
		return err
	}
	if err := c.queue(p.rest.toldFrozen, procToldFrozen, uint32(r)); err != nil {
		return err
	}
	return c.region(p)
}

func (c *checker) region(p *proc) error {
	if p.space == 0 {
		return nil
	}
	n, err := alloc.Check(c.a, p.space)
	c.buffers += n
	if err != nil {
		return err
	}
	for b := alloc.Next(c.a, p.space, 0); b != 0; b = alloc.Next(c.a, p.space, b.In(c.a).Offset+1) {
		buf := b.In(c.a)
		if n := arena.Ref[node](buf.Node); n != 0 && (!nodes.Is(c.a, n) || n.In(c.a).localStrong <= 0) {
			return c.damaged("buffer %d does not hold its node", buf.ID)
		}
	}
	return nil
}

func (c *checker) thread(p arena.Ref[proc], r arena.Ref[thread]) error {
	t := r.In(c.a)
	if t.proc != p {
		return c.damaged("it belongs to another process")
	}
	if t.spare != 0 {
		if !transactions.Is(c.a, t.spare) || c.transactions[t.spare] {
			return c.damaged("its spare transaction is none, or in use")
		}
		c.spare++
	}
	for x := t.stack; x != 0; {
		if err := c.transaction(x); err != nil {
			return err
		}
		switch q := x.In(c.a); r {
		case q.from:
			x = q.fromParent
		case q.toThread:
			x = q.toParent
		default:
			return c.damaged("transaction %d is on its stack, but not its own", q.id)
		}
	}
	for _, x := range []arena.Ref[transaction]{t.building, t.rest.installing} {
		if x == 0 {
			continue
		}
		if err := c.transaction(x); err != nil {
			return err
		}
		if x != t.building {
			continue
		}
		if b := c.d.bufferOf(x); b == 0 || !c.d.isBuilding(b) {
			return c.damaged("transaction %d is being built without a buffer", x.In(c.a).id)
		}
		if call := x.In(c.a).replyTo; call != 0 {
			if err := c.transaction(call); err != nil {
				return err
			}
		}
	}
	return c.queue(t.todo, threadTodo, uint32(r))
}

// transaction notes a transaction and those that it climbs to if it fails.
func (c *checker) transaction(x arena.Ref[transaction]) error {
	for ; x != 0 && !c.transactions[x]; x = x.In(c.a).fromParent {
		if !transactions.Is(c.a, x) {
			return c.damaged("line %d is no transaction", x)
		}
		c.transactions[x] = true
		if x.In(c.a).from != 0 && !threads.Is(c.a, x.In(c.a).from) {
			return c.damaged("transaction %d comes from a thread that is gone", x.In(c.a).id)
		}
	}
	return nil
}

func (c *checker) node(r arena.Ref[node]) error {
	n := r.In(c.a)
	c.nodes++
	if _, err := nodeRefs.Check(c.a, n.rest.refs); err != nil {
		return err
	}
	strong := int32(0)
	for x := n.rest.refs.First; x != 0; x = x.In(c.a).link.Next {
		if x.In(c.a).node != r {
			return c.damaged("node %d has the ref of another", n.rest.id)
		}
		if x.In(c.a).strong > 0 {
			strong++
		}
	}
	if strong != n.internalStrong || n.localStrong < 0 || n.localWeak < 0 {
		return c.damaged("node %d counts %d strong refs of %d, and %d, %d local ones",
			n.rest.id, n.internalStrong, strong, n.localStrong, n.localWeak)
	}
	return c.queue(n.async, nodeAsync, uint32(r))
}

func (c *checker) refsOf(r arena.Ref[proc]) error {
	p := r.In(c.a)
	n, err := refsByDesc.Check(c.a, refs, p.rest.refs)
	if err != nil {
		return err
	}
	m, err := refsByNode.Check(c.a, refs, p.rest.nodeRefs)
	if err != nil || m != n {
		return c.damaged("%d refs by number, %d by node: %v", n, m, err)
	}
	c.refs += n
	for x := refsByDesc.First(c.a, p.rest.refs); x != 0; x = refsByDesc.Next(c.a, p.rest.refs, x) {
		q := x.In(c.a)
		if q.proc != r || !nodes.Is(c.a, q.node) || q.strong <= 0 && q.weak <= 0 {
			return c.damaged("ref %d: strong %d, weak %d", q.desc, q.strong, q.weak)
		}
		if q.death != 0 && !deaths.Is(c.a, q.death) || q.freeze != 0 && !freezeNotices.Is(c.a, q.freeze) {
			return c.damaged("ref %d has a notice that is gone", q.desc)
		}
		if q.death != 0 {
			c.deaths++
		}
		if q.freeze != 0 {
			c.freezeNotices++
		}
	}
	return nil
}

// queue checks that what is queued knows where, and notes it.
func (c *checker) queue(e arena.Ends[Work], on queueKind, owner uint32) error {
	if _, err := workList.Check(c.a, e); err != nil {
		return err
	}
	for w := e.First; w != 0; w = w.In(c.a).link.Next {
		p := w.In(c.a)
		if p.on != on || p.owner != owner {
			return c.damaged("queued work thinks that it is elsewhere")
		}
		switch p.kind {
		case workTransaction:
			if err := c.transaction(arena.Ref[transaction](w)); err != nil {
				return err
			}
		case workNotice:
			c.notices++
		case workClearDeath, workDeadBinderAndClear:
			c.deaths++
		case workClearFreeze:
			c.freezeNotices++
		}
	}
	return nil
}

package driver

import (
	"bytes"
	"fmt"
	"io"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// WriteStats writes the context's statistics as the kernel shows them in
// binder/stats: what was counted in all, then each process. What threads that
// are in a call count meanwhile may be missing.
func (d *Driver) WriteStats(w io.Writer) error {
	var text bytes.Buffer
	err := d.member.Do(func(*arena.Tx) error {
		d.totalStats(&text)
		for r := d.ctx.In(d.a).procs.First; r != 0; r = r.In(d.a).link.Next {
			d.procReport(&text, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = text.WriteTo(w)
	return err
}

func (d *Driver) totalStats(w io.Writer) {
	c := d.ctx.In(d.a)
	sum := c.stats
	for r := c.procs.First; r != 0; r = r.In(d.a).link.Next {
		s := d.procStats(r)
		sum.add(&s)
	}
	fmt.Fprintln(w, "binder stats:")
	sum.write(w, "")
	for _, kind := range []struct {
		name   string
		active int
		total  uint64
	}{
		{"proc", procs.Live(d.a), c.totals.Procs},
		{"thread", threads.Live(d.a), c.totals.Threads},
		{"node", nodes.Live(d.a), c.totals.Nodes},
		{"ref", refs.Live(d.a), c.totals.Refs},
		{"death", deaths.Live(d.a), c.totals.Deaths},
		{"transaction", transactions.Live(d.a), c.totals.Transactions},
	} {
		fmt.Fprintf(w, "%s: active %d total %d\n", kind.name, kind.active, kind.total)
	}
}

// procStats is what a process's threads counted, living and gone.
func (d *Driver) procStats(r arena.Ref[proc]) Stats {
	p := r.In(d.a)
	sum := p.stats
	for t := threadsByTID.First(d.a, p.threads); t != 0; t = threadsByTID.Next(d.a, p.threads, t) {
		sum.add(&t.In(d.a).stats)
	}
	return sum
}

func (d *Driver) procReport(w io.Writer, r arena.Ref[proc]) {
	p := r.In(d.a)
	fmt.Fprintf(w, "proc %d\n", p.pid)
	fmt.Fprintf(w, "  threads: %d\n", count(d.a, threadsByTID, p.threads))
	fmt.Fprintf(w, "  requested threads: %d+%d/%d\n", p.requested, p.started, p.maxThreads)
	ready := 0
	for t := p.waiting.First; t != 0; t = t.In(d.a).waiting.Next {
		ready++
	}
	fmt.Fprintf(w, "  ready threads %d\n", ready)
	if p.space != 0 {
		fmt.Fprintf(w, "  free async space %d\n", p.space.In(d.a).AsyncFree)
	}
	fmt.Fprintf(w, "  nodes: %d\n", count(d.a, nodesByPtr, p.nodes))
	var strong, weak int32
	for x := refsByDesc.First(d.a, p.refs); x != 0; x = refsByDesc.Next(d.a, p.refs, x) {
		strong += x.In(d.a).strong
		weak += x.In(d.a).weak
	}
	fmt.Fprintf(w, "  refs: %d s %d w %d\n", count(d.a, refsByDesc, p.refs), strong, weak)
	if p.space != 0 {
		pages := alloc.CountPages(d.a, p.space)
		fmt.Fprintf(w, "  buffers: %d\n", p.space.In(d.a).Buffers)
		fmt.Fprintf(w, "  pages: %d:%d:%d\n", pages.Active, pages.LRU, pages.Free)
		fmt.Fprintf(w, "  pages high watermark: %d\n", pages.Peak)
	}
	pending := 0
	for x := p.todo.First; x != 0; x = x.In(d.a).link.Next {
		if x.In(d.a).kind == workTransaction {
			pending++
		}
	}
	fmt.Fprintf(w, "  pending transactions: %d\n", pending)
	s := d.procStats(r)
	s.write(w, "  ")
}

func count[T any](a *arena.Arena, tree arena.Tree[T], root arena.Ref[T]) (n int) {
	for r := tree.First(a, root); r != 0; r = tree.Next(a, root, r) {
		n++
	}
	return n
}

// write lists the counts that are not 0.
func (s *Stats) write(w io.Writer, indent string) {
	for i, n := range s.Commands {
		if n > 0 {
			fmt.Fprintf(w, "%s%v: %d\n", indent, abi.CommandByNumber(i), n)
		}
	}
	for i, n := range s.Returns {
		if n > 0 {
			fmt.Fprintf(w, "%s%v: %d\n", indent, abi.ReturnByNumber(i), n)
		}
	}
}

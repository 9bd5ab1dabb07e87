package transporttest

import (
	"slices"
	"sync"
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// accounted is an echo whose serving threads' ledgers are kept.
type accounted struct {
	limit   int
	mu      sync.Mutex
	ledgers []*copies.Ledger
}

// NewHandler implements ipc.Service.
func (a *accounted) NewHandler(th ipc.Thread) (ipc.Handler, error) {
	a.mu.Lock()
	a.ledgers = append(a.ledgers, th.Ledger())
	a.mu.Unlock()
	return echo(a.limit).NewHandler(th)
}

// report adds the client's ledger and the server's up, when serving is over.
func (a *accounted) report(client ipc.Client) copies.Report {
	r := client.Ledger().Report()
	for _, l := range a.ledgers {
		r.Add(l.Report())
	}
	return r
}

// testLedger expects the ledgers of both ends to add up to what was sent.
func testLedger(t *testing.T, s Subject) {
	c := open(t, s, config(s, s.largest()))
	service := &accounted{limit: s.largest()}
	c.serve(service)
	total := uint64(0)
	for _, n := range s.sizes() {
		total += uint64(n)
	}
	c.echo(c.clients[0], newContents(7), s.sizes())
	c.stop()
	report := service.report(c.clients[0])
	for _, d := range []copies.Direction{copies.Request, copies.Reply} {
		if report.Delivered[d] != total {
			t.Errorf("%s: %d bytes delivered of %d", d, report.Delivered[d], total)
		}
		if got, _ := report.PerDirection(d); got != s.Copies {
			t.Errorf("%s: %v copies, want %v", d, got, s.Copies)
		}
	}
}

// testSyscalls expects a small call that blocks to cost what the transport says.
func testSyscalls(t *testing.T, s Subject) {
	if s.Syscalls == 0 {
		t.Skip("not specified for this transport")
	}
	const calls = 20
	c := open(t, s, config(s, 64))
	service := &accounted{limit: 64}
	c.serve(service)
	c.echo(c.clients[0], newContents(8), slices.Repeat([]int{64}, calls))
	c.stop()
	report := service.report(c.clients[0])
	got, want := report.OperationSyscalls(), uint64(s.Syscalls*calls)
	const interrupted = calls / 2 // a signal of the runtime makes a wait start again
	if got > want+interrupted || got < want && !s.SleepsMayLack {
		t.Errorf("%d system calls for %d calls, want %d each", got, calls, s.Syscalls)
	}
}

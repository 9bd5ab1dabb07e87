package transporttest

import (
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// testLedger expects the ledgers of both ends to add up to what was sent.
func testLedger(t *testing.T, s Subject) {
	c := open(t, s, config(s, largest))
	var server *copies.Ledger
	c.serve(service(func(th ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
		server = th.Ledger()
		h, err := echo(largest).NewHandler(th)
		return h.Handle, err
	}))
	total := uint64(0)
	for _, n := range sizes {
		total += uint64(n)
	}
	c.echo(c.clients[0], newContents(7), sizes)
	c.stop()
	report := c.clients[0].Ledger().Report()
	report.Add(server.Report())
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
	var server *copies.Ledger
	c.serve(service(func(th ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
		server = th.Ledger()
		h, err := echo(64).NewHandler(th)
		return h.Handle, err
	}))
	for range calls {
		c.echo(c.clients[0], newContents(8), []int{64})
	}
	c.stop()
	report := c.clients[0].Ledger().Report()
	report.Add(server.Report())
	if got := report.OperationSyscalls(); got != uint64(s.Syscalls*calls) {
		t.Errorf("%d system calls for %d calls, want %d each", got, calls, s.Syscalls)
	}
}

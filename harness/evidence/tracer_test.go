package evidence_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"ipcbench/harness/evidence"
	"ipcbench/ipc/copies"
)

// control are a child's standard input and output.
var control = []int{0, 1}

// attach skips the test where tracing is not possible.
func attach(t *testing.T, targets ...evidence.Target) *evidence.Tracer {
	t.Helper()
	tracer, err := evidence.Attach(targets...)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("tracing: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tracer.Close(); err != nil {
			t.Error(err)
		}
	})
	return tracer
}

// trace follows a child through its one step.
func trace(t *testing.T, c *actor, target evidence.Target) (*evidence.Account, copies.Report, error) {
	t.Helper()
	tracer := attach(t, target)
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	c.step()
	var ledger copies.Report
	c.hear(&ledger)
	account, err := tracer.Stop()
	return account, ledger, err
}

func tracePipe(t *testing.T) (*evidence.Account, copies.Report) {
	t.Helper()
	c := start(t, "pipe")
	var g greeting
	c.hear(&g)
	account, ledger, err := trace(t, c, evidence.Target{PID: c.pid, Threads: []int{g.TID}, Control: control})
	if err != nil {
		t.Fatal(err)
	}
	return account, ledger
}

func TestLockedThreadIsCountedExactly(t *testing.T) {
	account, ledger := tracePipe(t)
	f := evidence.CrossCheck(account, ledger, rounds)
	if f.Status != evidence.Agrees {
		t.Fatalf("%+v", f)
	}
	want := map[string]float64{
		"read_bytes":  rounds * (payload + header),
		"write_bytes": rounds * (payload + header),
		"syscalls":    4 + 2*rounds,
	}
	for name, n := range want {
		if f.Counted[name] != n || f.Ledger[name] != n {
			t.Errorf("%s: counted %v, ledger %v, want %v", name, f.Counted[name], f.Ledger[name], n)
		}
	}
}

func TestFalseLedgerIsCaught(t *testing.T) {
	account, honest := tracePipe(t)
	lies := map[string]func(*copies.Report){
		"a byte more": func(r *copies.Report) { r.Sites[0].Payload++ },
		"a copy that was not made": func(r *copies.Report) {
			r.Add(copies.Report{Sites: []copies.SiteReport{{Name: "pipe/readv", Kernel: true, Payload: 1}}})
		},
		"a copy left out": func(r *copies.Report) { r.Sites = r.Sites[1:] },
		"a call more":     func(r *copies.Report) { r.Syscalls++ },
		"a call less":     func(r *copies.Report) { r.Syscalls-- },
	}
	for name, lie := range lies {
		var told copies.Report
		told.Add(honest)
		lie(&told)
		f := evidence.CrossCheck(account, told, rounds)
		if f.Status != evidence.Disagrees || !strings.Contains(f.Detail, "the ledger") {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestWholeProcess(t *testing.T) {
	c := start(t, "polled")
	for range 10 {
		c.hear(&greeting{})
		account, ledger, err := trace(t, c, evidence.Target{PID: c.pid, Control: control})
		if errors.Is(err, evidence.ErrNewThread) {
			c.step()
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		f := evidence.CrossCheck(account, ledger, rounds)
		if f.Status != evidence.Agrees {
			t.Fatalf("%+v", f)
		}
		if f.Counted["control_write"] == 0 {
			t.Errorf("control channel not seen: %v", f.Counted)
		}
		return
	}
	t.Skip("the child began threads in every pass")
}

func TestNewThreadIsNoticed(t *testing.T) {
	c := start(t, "starter")
	c.hear(&greeting{})
	_, _, err := trace(t, c, evidence.Target{PID: c.pid, Control: control})
	if !errors.Is(err, evidence.ErrNewThread) {
		t.Fatalf("Stop: %v, want ErrNewThread", err)
	}
}

func TestAttachToNobody(t *testing.T) {
	c := start(t, "pipe")
	c.hear(&greeting{})
	attach(t, evidence.Target{PID: c.pid}).Close()
	_, err := evidence.Attach(evidence.Target{PID: c.pid}, evidence.Target{PID: 1 << 30, Threads: []int{1 << 30}})
	if f := evidence.Missing(err); err == nil || f.Status != evidence.Unavailable {
		t.Fatalf("Attach: %v, finding %+v", err, f)
	}
}

// The copies of a pipe's messages are seen where they are made.
func TestKernelCopiesOfAPipe(t *testing.T) {
	if err := evidence.CopiesTraceable(); err != nil {
		t.Skip(err)
	}
	c := start(t, "pipe")
	var g greeting
	c.hear(&g)
	tracer, err := evidence.AttachCopies(evidence.Target{PID: c.pid, Threads: []int{g.TID}})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	if err := tracer.Start(); err != nil {
		t.Fatal(err)
	}
	c.step()
	var ledger copies.Report
	c.hear(&ledger)
	counted, err := tracer.Stop()
	if err != nil {
		t.Fatal(err)
	}
	out := counted.Functions["_copy_to_iter"]
	if out.Bytes != rounds*(payload+header) || out.Calls != rounds {
		t.Errorf("%+v, want %d reads of %d bytes", counted.Functions, rounds, payload+header)
	}
	if in := counted.Functions["_copy_from_iter"]; in.Calls < rounds || in.Bytes < out.Bytes {
		t.Errorf("%+v, want at least %d writes of %d bytes", counted.Functions, rounds, payload+header)
	}
}

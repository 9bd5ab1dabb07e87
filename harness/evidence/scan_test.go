package evidence_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"ipcbench/harness/evidence"
	"ipcbench/ipc/copies"
)

// scan starts a child and searches it for so many bytes of the payload, or skips the
// test where that is not permitted.
func scan(t *testing.T, name string, size int) []evidence.Place {
	t.Helper()
	c := start(t, name)
	c.hear(&greeting{})
	places, err := evidence.Scan([]int{c.pid}, random(make([]byte, size)))
	if errors.Is(err, fs.ErrPermission) {
		t.Skipf("search of another process: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// through is the ledger of 10 messages through the given sites.
func through(sites ...copies.SiteReport) copies.Report {
	r := copies.Report{Delivered: [2]uint64{10 * canarySize, 0}, Messages: [2]uint64{10, 0}}
	for _, s := range sites {
		s.Payload = 10 * canarySize
		r.Add(copies.Report{Sites: []copies.SiteReport{s}})
	}
	return r
}

var (
	send    = copies.SiteReport{Name: "pipe/write", Kernel: true}
	receive = copies.SiteReport{Name: "pipe/read", Kernel: true}
	store   = copies.SiteReport{Name: "shm/store"}
	binder  = copies.SiteReport{Name: "binder-kernel/ioctl", Kernel: true}
)

func TestCopiesAreFoundAndMerged(t *testing.T) {
	places := scan(t, "copies", canarySize)
	if n := evidence.Copies(places); n != 2 || len(places) != 2 {
		t.Fatalf("%d copies in %+v, want the private and the shared one", n, places)
	}
	tests := []struct {
		name   string
		ledger copies.Report
		status string
	}{
		{"through the kernel", through(send, receive), evidence.Agrees},
		{"one store", through(store), evidence.Agrees},
		{"the kernel's Binder", through(binder), evidence.Agrees},
		{"a copy that was not made", through(store, copies.SiteReport{Name: "shm/load"}), evidence.Disagrees},
		{"in place", through(), evidence.Disagrees},
		{"unknown call", through(copies.SiteReport{Name: "x/teleport", Kernel: true}), evidence.Unavailable},
		{"nothing delivered", copies.Report{}, evidence.NotApplicable},
	}
	for _, test := range tests {
		if f := evidence.CheckCanary(places, test.ledger, copies.Request); f.Status != test.status {
			t.Errorf("%s: %+v, want %s", test.name, f, test.status)
		}
	}
}

func TestHiddenCopyIsCaught(t *testing.T) {
	places := scan(t, "hidden", canarySize)
	f := evidence.CheckCanary(places, through(), copies.Request)
	if f.Status != evidence.Disagrees || f.Counted["visible_copies"] != 2 {
		t.Errorf("%+v", f)
	}
}

// TestSavedRegisters: what a signal saves of a copy that has just been made is not a
// copy more.
func TestSavedRegisters(t *testing.T) {
	if places := scan(t, "signal", signalSize); evidence.Copies(places) != 2 {
		t.Errorf("%+v, want the payload and its one copy", places)
	}
}

func TestSharedBetweenProcesses(t *testing.T) {
	a, b := start(t, "copies"), start(t, "copies")
	a.hear(&greeting{})
	b.hear(&greeting{})
	places, err := evidence.Scan([]int{a.pid, b.pid}, random(make([]byte, canarySize)))
	if errors.Is(err, fs.ErrPermission) {
		t.Skip(err)
	}
	if err != nil || evidence.Copies(places) != 4 {
		t.Errorf("%v: %+v, want 4 places: nothing is shared between these", err, places)
	}
}

func TestScanRefuses(t *testing.T) {
	if _, err := evidence.Scan([]int{os.Getpid()}, make([]byte, 64)); err == nil {
		t.Error("a process searched itself")
	}
	if _, err := evidence.Scan(nil, make([]byte, 31)); !errors.Is(err, evidence.ErrTooShort) {
		t.Errorf("31 bytes: %v", err)
	}
}

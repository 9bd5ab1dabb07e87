package main

import (
	"path/filepath"
	"testing"

	"ipcbench/harness/evidence"
	"ipcbench/results"
)

// TestSeveralClients: with several clients, and with bursts that nobody answers,
// copies are whole numbers and no source disagrees with the ledger. What one workload
// leaves behind would be counted in the other. A source that there is for one cell is
// there for all: what begins in a pass, as a Binder server's loopers do, has begun in a
// later one.
func TestSeveralClients(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result.json")
	ipcbench(t, "run", "-t", "pipe,shm,binder,binder-daemon", "-s", "4K", "-c", "1,3", "-w", "echo,one-way",
		"--generations", "1", "--rounds", "2", "--format", "json", "-o", file)
	r, err := results.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Cells) == 0 {
		t.Fatalf("nothing was measured: %v", r.Skipped)
	}
	have := map[string]bool{}
	for i := range r.Cells {
		for source, f := range r.Cells[i].Evidence {
			have[source] = have[source] || f.Status == evidence.Agrees
		}
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Copies.Request == nil || *c.Copies.Request != 1 && (c.Transport != "pipe" || *c.Copies.Request != 2) {
			t.Errorf("%+v: %v copies of a request", c.Key, c.Copies)
		}
		for source, f := range c.Evidence {
			if f.Status == evidence.Disagrees || have[source] && f.Status == evidence.Unavailable {
				t.Errorf("%+v: %s: %s", c.Key, source, f.Detail)
			}
		}
	}
}

package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBenchstat gives benchstat, of the version in go.mod, the gobench of two
// real runs: it must know every unit, pair every row across the files, and find
// samples enough for an interval wherever each round has a figure.
func TestBenchstat(t *testing.T) {
	directory := t.TempDir()
	old, young := filepath.Join(directory, "old.txt"), filepath.Join(directory, "new.txt")
	for _, file := range []string{old, young} {
		ipcbench(t, "run", "-t", "pipe,unix-stream", "-s", "0,64,4K", "--generations", "2", "--rounds", "3",
			"--round-time", "2ms", "--format", "gobench", "-o", file)
	}
	tables := benchstat(t, old, young)
	for _, want := range []struct {
		unit  string
		cells int
	}{{"sec/op", 6}, {"p50-sec", 6}, {"cpu-sec/op", 6}, {"syscalls/op", 6}, {"request-copies", 4}, {"reply-copies", 4}} {
		if got := len(tables[want.unit]); got != want.cells {
			t.Errorf("%s: %d rows, want %d", want.unit, got, want.cells)
		}
		for _, row := range tables[want.unit] {
			if row[2] == "∞" || row[4] == "∞" || !strings.HasSuffix(row[6], "n=6") {
				t.Errorf("%s: not a pair of six samples with intervals: %q", want.unit, row)
			}
		}
	}

	across := benchstat(t, "-col", "/transport", old)
	if rows := across["p50-sec"]; len(rows) != 3 {
		t.Errorf("-col /transport: %d rows, want one a payload: %q", len(rows), rows)
	}
}

// ipcbench runs the command, which testscript has put into PATH.
func ipcbench(t *testing.T, arguments ...string) {
	t.Helper()
	if out, err := exec.Command("ipcbench", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("ipcbench %v: %v: %s", arguments, err, out)
	}
}

// benchstat returns the rows of its tables that stand for a benchmark, by unit.
func benchstat(t *testing.T, arguments ...string) map[string][][]string {
	t.Helper()
	c := exec.Command("go", append([]string{"tool", "benchstat", "-format", "csv"}, arguments...)...)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("no go command to run benchstat with")
	}
	if err != nil {
		t.Fatalf("benchstat: %v: %s", err, said.String())
	}
	reader := csv.NewReader(bytes.NewReader(out))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	tables, unit := map[string][][]string{}, ""
	for _, row := range rows {
		switch {
		case len(row) > 2 && row[0] == "" && row[2] == "CI":
			unit = row[1]
		case strings.HasPrefix(row[0], "IPC/"):
			tables[unit] = append(tables[unit], row)
		}
	}
	return tables
}

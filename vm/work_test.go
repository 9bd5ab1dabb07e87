package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUpdateDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	if err := os.WriteFile(path, []byte("before\n"+tableBegin+"old\n"+tableEnd+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := updateDocument(path, "| new |\n"); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "before\n" + tableBegin + "\n| new |\n\n" + tableEnd + "after\n"; string(got) != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := os.WriteFile(path, []byte("no marks"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := updateDocument(path, ""); err == nil {
		t.Error("a document without marks was accepted")
	}
}

// The document that holds the table has the marks.
func TestParityDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/binder-parity.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), tableBegin) || !strings.Contains(string(text), tableEnd) {
		t.Error("docs/binder-parity.md has lost the marks around its table")
	}
}

func TestStatus(t *testing.T) {
	dir := t.TempDir()
	if err := status(dir); err == nil {
		t.Error("no status, no error")
	}
	for text, want := range map[string]int{"0": 0, "7": 7, "in the machine: no proc": 2} {
		if err := os.WriteFile(filepath.Join(dir, statusFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got := 0
		if err := status(dir); err != nil {
			got = exitStatus(err)
		}
		if got != want {
			t.Errorf("%q: status %d, want %d", text, got, want)
		}
	}
}

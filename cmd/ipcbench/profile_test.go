package main

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestCompilerProfile: the profile that this program is compiled with (default.pgo)
// is of this program. What it says of functions that are gone is lost, and a tenth
// of it at most may be; docs/architecture.md says how it is taken again.
func TestCompilerProfile(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	// Lines of three: caller, callee, and the call's line and samples.
	out, err := exec.Command("go", "tool", "preprofile", "-i", "default.pgo").Output()
	if err != nil {
		t.Fatalf("go tool preprofile: %v", err)
	}
	lines := strings.Split(string(out), "\n")[1:]
	var all, lost int
	for ; len(lines) >= 3; lines = lines[3:] {
		callee := lines[1]
		if !strings.HasPrefix(callee, "ipcbench/") || strings.Contains(callee, "[") {
			continue
		}
		_, samples, _ := strings.Cut(lines[2], " ")
		n, err := strconv.Atoi(samples)
		if err != nil {
			t.Fatalf("samples of a call of %s: %v", callee, err)
		}
		all += n
		if !bytes.Contains(binary, []byte(callee+"\x00")) {
			lost += n
			t.Logf("gone: %s, %d samples", callee, n)
		}
	}
	if all == 0 || lost > all/10 {
		t.Errorf("of %d samples in calls of the project's functions, %d are of functions that are gone", all, lost)
	}
}

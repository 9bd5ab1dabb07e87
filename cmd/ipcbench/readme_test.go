package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ipcbench/results"
)

// shorten makes the README's measuring commands quick; IPCBENCH_LONG=1 runs them
// as they stand.
var shorten = map[string][]string{
	"run": {"--rounds", "1", "--generations", "1", "--round-time", "1ms"},
}

// readmeCommands are the lines of the README's shell blocks.
func readmeCommands(t *testing.T) (commands [][]string) {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, block := range strings.Split(string(b), "```") {
		body, isShell := strings.CutPrefix(block, "sh\n")
		if i%2 == 0 || !isShell {
			continue
		}
		for line := range strings.Lines(body) {
			commands = append(commands, strings.Fields(strings.ReplaceAll(line, "'", "")))
		}
	}
	return commands
}

// TestReadmeCommands runs every command of the README, in order and in one
// directory, as some read what others wrote.
func TestReadmeCommands(t *testing.T) {
	dir := t.TempDir()
	ipcbench := filepath.Join(dir, "ipcbench")
	if out, err := exec.Command("go", "build", "-o", ipcbench, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	commands := readmeCommands(t)
	if len(commands) < 3 {
		t.Fatalf("the README has %d commands", len(commands))
	}
	for _, c := range commands {
		line := strings.Join(c, " ")
		c = strings.Fields(strings.Replace(line, "go run ./cmd/ipcbench", "ipcbench", 1))
		switch {
		case line == "go test ./...":
			continue // this test is part of it
		case c[0] != "ipcbench":
			t.Errorf("%q: no test knows how to run this", line)
			continue
		case c[1] == "selftest" && os.Getenv("IPCBENCH_LONG") == "":
			continue // it takes half a minute of an idle machine
		}
		args := c[1:]
		if os.Getenv("IPCBENCH_LONG") == "" {
			args = append(args, shorten[c[1]]...)
			if c[1] == "run" && len(c) == 2 {
				args = append(args, "--size", "64") // the whole matrix is for the long form
			}
		}
		run := exec.Command(ipcbench, args...)
		run.Dir = dir
		out, err := run.CombinedOutput()
		if err != nil && c[1] != "selftest" { // a count may be short on a busy machine
			t.Errorf("%q: %v\n%s", line, err, out)
		}
	}
}

// TestReadmeTable compares the README's table with the stored run that it names.
func TestReadmeTable(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "<!-- ipcbench report --format summary ")
	file, rest, _ := strings.Cut(rest, " -->\n")
	table, _, ok := strings.Cut(rest, "<!-- end -->")
	if !ok {
		t.Fatal("the README has no table of a stored run")
	}
	stored, err := results.ReadFile(filepath.Join("../..", file))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	if err := results.Summary(&want, stored); err != nil {
		t.Fatal(err)
	}
	if strings.TrimSpace(table) != strings.TrimSpace(want.String()) {
		t.Errorf("the README's table is not what %s holds:\n%s", file, want.String())
	}
}

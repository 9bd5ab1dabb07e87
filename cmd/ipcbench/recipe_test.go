package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// recipe is the first shell block of the page on CI.
func recipe(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```sh\n")
	lines, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("docs/ci.md has no shell recipe")
	}
	return lines
}

// TestWorkflowIsTheRecipe: the workflow on the page does what the recipe does.
func TestWorkflowIsTheRecipe(t *testing.T) {
	page, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	_, workflow, _ := strings.Cut(string(page), "```yaml\n")
	for line := range strings.Lines(recipe(t)) {
		line = strings.NewReplacer("${BASE:-origin/main}", "$BASE", "${GITHUB_STEP_SUMMARY:-/dev/stdout}", "$GITHUB_STEP_SUMMARY").Replace(line)
		if line != "set -e\n" && !strings.Contains(workflow, "          "+line) {
			t.Errorf("the workflow lacks %q", line)
		}
	}
}

// TestRecipe runs the recipe in a clone whose head is the base with nothing
// changed, and with a system call more in every operation.
func TestRecipe(t *testing.T) {
	if os.Getenv("IPCBENCH_LONG") == "" {
		t.Skip("builds four times and measures twice: IPCBENCH_LONG=1")
	}
	clone := filepath.Join(t.TempDir(), "clone")
	git := func(directory string, arguments ...string) {
		t.Helper()
		c := exec.Command("git", append([]string{"-c", "user.name=test", "-c", "user.email=test@localhost"}, arguments...)...)
		c.Dir = directory
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v: %s", arguments, err, out)
		}
	}
	git("../..", "clone", "--quiet", "--shared", ".", clone)
	git(clone, "commit", "--quiet", "--allow-empty", "-m", "nothing changed")
	if status, out := runRecipe(t, clone); status != exitDone {
		t.Errorf("without a change: status %d\n%s", status, out)
	}

	seeded := filepath.Join(clone, "harness", "operate.go")
	source, err := os.ReadFile(seeded)
	if err != nil {
		t.Fatal(err)
	}
	const guard = "if o.Injection.Syscalls > 0 {"
	if !strings.Contains(string(source), guard) {
		t.Fatal("the place of the seeded regression is gone")
	}
	worse := strings.Replace(string(source), guard, "if o.Injection.Syscalls = 1; true {", 1)
	if err := os.WriteFile(seeded, []byte(worse), 0o666); err != nil {
		t.Fatal(err)
	}
	git(clone, "commit", "--quiet", "-a", "-m", "a system call more")
	if status, out := runRecipe(t, clone); status != exitNo || !strings.Contains(out, "syscalls") {
		t.Errorf("with a system call more: status %d\n%s", status, out)
	}
}

func runRecipe(t *testing.T, clone string) (status int, output string) {
	t.Helper()
	c := exec.Command("sh", "-c", recipe(t))
	c.Dir = clone
	c.Env = append(os.Environ(), "BASE=HEAD~1", "GITHUB_STEP_SUMMARY=/dev/stdout")
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), string(out)
	case err != nil:
		t.Fatal(err)
	}
	return 0, string(out)
}

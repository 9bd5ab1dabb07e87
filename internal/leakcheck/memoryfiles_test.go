package leakcheck

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMemoryDir: a directory that a killed process left is removed, one of a
// process that lives is not, and one's own is when the test is over.
func TestMemoryDir(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(memoryFiles, fmt.Sprintf(directory, cmd.Process.Pid)+"left")
	if err := os.MkdirAll(filepath.Join(left, "context"), 0o700); err != nil {
		t.Fatal(err)
	}
	var own, other string
	t.Run("inner", func(t *testing.T) {
		own = MemoryDir(t)
		other = MemoryDir(t)
		for _, dir := range []string{own, other} {
			if _, err := os.Stat(dir); err != nil {
				t.Error(err)
			}
		}
	})
	for _, dir := range []string{left, own, other} {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", dir, err)
		}
	}
}

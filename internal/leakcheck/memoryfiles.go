package leakcheck

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// memoryFiles is where files are memory.
const memoryFiles = "/dev/shm"

// directory is the name of a test's directory, which says whose it is.
const directory = "ipcbench-test-%d-"

// MemoryDir is a new directory of memory files, removed with all that is in it
// when the test ends. A test whose process is killed leaves its directory; the
// next one that asks for one removes it.
func MemoryDir(t testing.TB) string {
	t.Helper()
	sweep()
	dir, err := os.MkdirTemp(memoryFiles, fmt.Sprintf(directory, os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// sweep removes the directories of processes that are gone.
func sweep() {
	all, _ := filepath.Glob(filepath.Join(memoryFiles, "ipcbench-test-*"))
	for _, dir := range all {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(dir), directory, &pid); err != nil {
			continue
		}
		if errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			_ = os.RemoveAll(dir)
		}
	}
}

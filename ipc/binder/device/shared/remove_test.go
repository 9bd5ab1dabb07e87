package shared

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestRemoveWhileJoining: a directory can be removed at any moment, and those who
// are about to join it either are members before or find that it is gone.
func TestRemoveWhileJoining(t *testing.T) {
	for range 30 {
		dir := testDir(t)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		var joiners sync.WaitGroup
		begun := make(chan bool, 4)
		for range cap(begun) {
			joiners.Go(func() {
				begun <- true
				if err := joinAndMap(dir); err != nil && !errors.Is(err, unix.ENOENT) {
					t.Error("join:", err)
				}
			})
		}
		<-begun
		if err := Remove(dir); err != nil {
			t.Fatal("remove:", err)
		}
		joiners.Wait()
		if left, _ := filepath.Glob(dir + "*"); left != nil {
			t.Fatalf("left: %v", left)
		}
	}
}

// joinAndMap joins a directory that exists, maps a region, and leaves.
func joinAndMap(dir string) error {
	d, err := New(Options{Dir: dir, Existing: true})
	if err != nil {
		return err
	}
	f, err := d.Open(0)
	if err != nil {
		return errors.Join(err, d.Close())
	}
	m, err := f.Mmap(1<<20, unix.PROT_READ, unix.MAP_PRIVATE)
	if err == nil {
		err = m.Unmap(0, m.Len())
	}
	return errors.Join(err, f.Close(), d.Close())
}

// TestRemoveAbandoned: what a killed member left is removed, and nothing of one that
// lives.
func TestRemoveAbandoned(t *testing.T) {
	dir := testDir(t)
	server := start(t, "server", dir)
	if err := RemoveAbandoned(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Fatal("a member lives:", err)
	}
	_ = server.Process.Kill()
	_ = server.Wait()
	for range 2 { // the second time it is not there
		if err := RemoveAbandoned(dir); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Error("not removed:", err)
		}
	}
}

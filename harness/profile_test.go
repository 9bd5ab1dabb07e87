package harness

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A profile is there, whole, when it is stopped.
func TestProfile(t *testing.T) {
	folder := t.TempDir()
	t.Setenv(ProfileVariable, folder)
	stop, err := startProfile(assignment{Transport: "floor:composite", Role: clientRole})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	files, err := filepath.Glob(filepath.Join(folder, "floor-composite-client-*.pprof"))
	if err != nil || len(files) != 1 {
		t.Fatalf("profiles %v, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil || len(b) < 2 || b[0] != 0x1f || b[1] != 0x8b {
		t.Errorf("a profile of %d bytes, %v; want gzip", len(b), err)
	}
	if len(profileWarning()) != 1 {
		t.Error("a profiled run does not say so")
	}
	t.Setenv(ProfileVariable, filepath.Join(folder, "missing"))
	if _, err := startProfile(assignment{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without the folder: %v, want that it does not exist", err)
	}
}

package claims

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"ipcbench/harness/claims/cast"
	"ipcbench/internal/leakcheck"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/kernel"
	"ipcbench/ipc/binder/device/shared"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == cast.Argument {
		os.Exit(cast.Run(Openers(testSubjects)))
	}
	os.Exit(m.Run())
}

var testSubjects = []Subject{sharedSubject{}, kernelSubject{}}

// sharedSubject is the driver in Go.
type sharedSubject struct{}

func (sharedSubject) Name() string { return "binder" }

func (sharedSubject) Create() (string, func() error, error) {
	dir, err := os.MkdirTemp("/dev/shm", "claims-test-")
	return dir, func() error { return os.RemoveAll(dir) }, err
}

func (sharedSubject) Open(place string) (device.Device, error) {
	return shared.New(shared.Options{Dir: place})
}

// kernelSubject is the kernel's driver, where there is one.
type kernelSubject struct{}

func (kernelSubject) Name() string { return "binder-kernel" }

func (kernelSubject) Create() (string, func() error, error) {
	node, err := kernel.Find()
	return node, func() error { return nil }, err
}

func (kernelSubject) Open(place string) (device.Device, error) { return kernel.New(place) }

// The experiments that take the driver apart, on every device that is here. What
// they find is not for a test to say, except that it is something.
func TestExperiments(t *testing.T) {
	for _, id := range []string{"C4", "C5", "C9", "C11", "C12", "C13", "C14", "C15", "C16", "C18"} {
		c, err := Lookup(id)
		if errors.Is(err, ErrUnknownClaim) {
			continue
		}
		t.Run(id, func(t *testing.T) {
			leakcheck.Expect(t, contexts)
			b := &Bench{Subjects: testSubjects}
			r, err := b.Try(context.Background(), []Claim{c})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range r.Claims[0].Order {
				column := r.Claims[0].Columns[name]
				t.Logf("%s: %s %s; %s", name, column.Verdict, column.When, column.Evidence.Text)
				if name == "binder" && !column.Verdict.Decided() {
					t.Errorf("undecided on the driver in Go")
				}
			}
		})
	}
}

// contexts are those that sharedSubject made.
func contexts() []string {
	all, _ := filepath.Glob("/dev/shm/claims-test-*")
	return all
}

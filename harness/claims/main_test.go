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
	return shared.New(shared.Options{Dir: place, Existing: true})
}

// kernelSubject is the kernel's driver, where there is one.
type kernelSubject struct{}

func (kernelSubject) Name() string { return "binder-kernel" }

func (kernelSubject) Create() (string, func() error, error) {
	node, err := kernel.Find()
	return node, func() error { return nil }, err
}

func (kernelSubject) Open(place string) (device.Device, error) { return kernel.New(place) }

// known are verdicts on the driver in Go that do not depend on the machine.
var known = map[string]Verdict{"C4": Supported, "C5": Supported, "C9": Conditional, "C11": Supported, "C12": Supported,
	"C13": Supported, "C14": Conditional, "C15": Conditional, "C16": Conditional, "C18": Supported}

// TestExperiments makes the experiments that take the driver apart on every device
// that is here.
func TestExperiments(t *testing.T) {
	for id, want := range known {
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
				if name == "binder" && column.Verdict != want {
					t.Errorf("%s, want %s", column.Verdict, want)
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

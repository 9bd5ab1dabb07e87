package claims

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ipcbench/ipc"
)

// lacking is a transport that this machine lacks.
type lacking struct{ ipc.Transport }

func (lacking) Info() ipc.Info {
	return ipc.Info{Name: "shm", Waits: []ipc.Wait{ipc.Block}}
}

func (lacking) Check(ipc.Config) error { return fmt.Errorf("one CPU: %w", errors.ErrUnsupported) }

// A machine on which nothing of an experiment can be measured is a verdict, and
// does not end the run.
func TestNothingToMeasureIsNotTestable(t *testing.T) {
	b := &Bench{Transports: ipc.NewRegistry(lacking{})}
	r, err := b.Try(t.Context(), []Claim{DefineFor(Meta{ID: "C0"}, []string{"shm"}, measureSynchronisation, judgeSynchronisation)})
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Claims[0].Columns["shm"]; c.Verdict != NotTestable || !strings.Contains(c.Evidence.Text, "one CPU") {
		t.Errorf("%+v", c)
	}
}

package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"ipcbench/harness"
	"ipcbench/harness/evidence"
	"ipcbench/ipc"
)

// liePayload is small enough for a pipe to hold, and long enough to be searched
// for.
const liePayload = 4 << 10

// caughtLies runs transports that lie about their copies, beside the honest one
// that they are made of: each lie must be contradicted by the source that can
// see it, and the truth by none.
func caughtLies(ctx context.Context, b *Bench, w io.Writer) error {
	list, err := liars(b.Transports)
	if err != nil {
		return err
	}
	names := []string{honest}
	must := map[string]string{}
	for _, l := range list {
		names = append(names, l.name)
		must[l.name] = l.caughtBy
	}
	m, err := b.gather(ctx, WithLiars(b.Transports), names)
	if err != nil {
		return err
	}
	var failures []error
	for i := range m.Cells {
		c := &m.Cells[i]
		if err := judgeEvidence(w, c, must[c.Transport]); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// gather has the evidence passes of one cell a transport.
func (b *Bench) gather(ctx context.Context, r *ipc.Registry, names []string) (*harness.Measured, error) {
	plan := harness.DefaultPlan()
	plan.Sizes, plan.Generations, plan.Rounds, plan.RoundTime = []int{liePayload}, 1, 1, 5*time.Millisecond
	run, err := harness.Prepare(r, plan, names)
	if err != nil {
		return nil, err
	}
	run.NoFloors()
	return run.Measure(ctx, b.Progress)
}

// judgeEvidence tells what each source says of a cell. A lie must be seen by the
// source given; where there is none, no source may object.
func judgeEvidence(w io.Writer, c *harness.CellRecord, caughtBy string) error {
	for _, source := range slices.Sorted(maps.Keys(c.Evidence)) {
		f := c.Evidence[source]
		fmt.Fprintf(w, "%-22s %-15s %s\n", c.Transport, source, f.Status)
		if caughtBy == "" && f.Status == evidence.Disagrees {
			return fmt.Errorf("%w: %s objects to %s: %s", ErrFailed, source, c.Transport, f.Detail)
		}
	}
	if caughtBy == "" {
		return nil
	}
	switch f := c.Evidence[caughtBy]; f.Status {
	case evidence.Disagrees:
		return nil
	case evidence.Agrees, evidence.NotApplicable:
		return fmt.Errorf("%w: %s does not see that %s", ErrFailed, caughtBy, c.Transport)
	default:
		return fmt.Errorf("%w: %s is not available: %s", errors.ErrUnsupported, caughtBy, f.Detail)
	}
}

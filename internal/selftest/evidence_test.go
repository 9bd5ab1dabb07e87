package selftest

import (
	"errors"
	"io"
	"testing"

	"ipcbench/harness"
	"ipcbench/harness/evidence"
)

func TestJudgeEvidence(t *testing.T) {
	for _, c := range []struct {
		status, caughtBy string
		want             error
	}{
		{evidence.Agrees, "", nil},
		{evidence.Disagrees, "", ErrFailed},
		{evidence.Disagrees, "accounting", nil},
		{evidence.Agrees, "accounting", ErrFailed},
		{evidence.NotApplicable, "accounting", ErrFailed},
		{evidence.NotPermitted, "accounting", errors.ErrUnsupported},
		{evidence.NotPermitted, "", nil},
	} {
		cell := &harness.CellRecord{Evidence: map[string]evidence.Finding{"accounting": {Status: c.status}}}
		if err := judgeEvidence(io.Discard, cell, c.caughtBy); !errors.Is(err, c.want) {
			t.Errorf("%s, to be caught by %q: %v, want %v", c.status, c.caughtBy, err, c.want)
		}
	}
}

package devicetest_test

import (
	"errors"
	"strings"
	"testing"

	"ipcbench/ipc/binder/devicetest"
)

// A device that is not here has a column with the reason, said once.
func TestTableOfADeviceThatIsNotHere(t *testing.T) {
	absent := devicetest.NotRun(devicetest.Backend{Device: "kernel", Kernel: "6.0-x"}, errors.New("no\ndriver"))
	here := devicetest.Results{Device: "inproc", Release: "6.12", Rows: []devicetest.RowResult{
		{Row: "B-01", Outcome: devicetest.Pass},
		{Row: "B-02", Outcome: devicetest.Deviation, Reason: "by design"},
	}}
	table := devicetest.Table(here, absent)
	for _, want := range []string{
		"| row | what | inproc (6.12) | kernel (6.0-x) |\n",
		"| B-01 | version of an unmapped file is 8 | pass | skip |\n",
		"| B-03 | mprotect to writable is EACCES | not run | skip |\n",
		"| | pass | 1 of 92 | 0 of 92 |\n",
		"\n- B-02 on inproc: by design\n- all rows on kernel: no driver\n",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
}

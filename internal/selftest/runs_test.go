package selftest

import (
	"errors"
	"strings"
	"testing"

	"ipcbench/harness"
)

// TestJudgeRuns: runs of one state hold each other; the one run that met another
// misses in each cell, and half of ten fail. Other rows are counted and not judged.
func TestJudgeRuns(t *testing.T) {
	plan, names := fourCells()
	for slow, failed := range map[int]bool{0: false, 1: false, 4: true} {
		found := map[harness.Key][][2]float64{}
		var order []harness.Key
		for _, name := range append([]string{"shm"}, names...) {
			for _, size := range plan.Sizes {
				k := harness.Key{Transport: name, RequestBytes: size}
				order = append(order, k)
				for i := range repeats {
					ci := [2]float64{990, 1010}
					if i < slow {
						ci = [2]float64{1490, 1510}
					}
					found[k] = append(found[k], ci)
				}
			}
		}
		var out strings.Builder
		err := judgeRuns(&out, order, found)
		if errors.Is(err, ErrFailed) != failed {
			t.Errorf("%d of %d runs in another state: %v\n%s", slow, repeats, err, &out)
		}
		if strings.Contains(out.String(), "shm") || !strings.Contains(out.String(), "of 60)") {
			t.Error(out.String())
		}
	}
	if err := judgeRuns(&strings.Builder{}, nil, nil); !errors.Is(err, ErrFailed) {
		t.Errorf("nothing counted: %v", err)
	}
}

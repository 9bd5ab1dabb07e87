package harness

import "time"

// Variants of a paired run.
const (
	OldBuild = "old"
	NewBuild = "new"
)

// PairedPlan is the default plan of a paired run: generations of few short
// rounds. The test of pairs lives on the number of generations, and a pair on
// how close its rounds are in time. A run of one cell takes about four seconds,
// most of which is the start of workers.
func PairedPlan() Plan {
	p := DefaultPlan()
	p.Generations, p.Rounds, p.RoundTime = 24, 3, 10*time.Millisecond
	return p
}

// Pair measures every cell with two builds of this program in turn, each given
// as the path of an executable file. Both are driven through agents, so that
// each creates its channels by its own code and neither is closer to the
// harness. inject, where not nil, says what the new build's operations carry in
// addition; self-tests use it. Evidence and floors are left out: the pair is
// about the difference.
func (r *Run) Pair(oldProgram, newProgram string, inject func(Key) Injection) {
	var cells []*cellUnit
	for _, c := range r.cells {
		cells = append(cells, c.of(OldBuild, oldProgram), c.of(NewBuild, newProgram))
		if inject != nil {
			cells[len(cells)-1].injection = inject(c.record.Key)
		}
	}
	r.cells = cells
	r.TimesOnly()
}

func (c *cellUnit) of(build, program string) *cellUnit {
	twin := *c
	twin.record.Variant, twin.channel.variant, twin.channel.program = build, build, program
	return &twin
}

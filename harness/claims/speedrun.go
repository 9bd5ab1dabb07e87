package claims

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ipcbench/harness"
)

// condition is how both ends wait, and where they run.
type condition struct {
	Wait      string `json:"wait"`
	Placement string `json:"placement"`
}

func (c condition) String() string {
	return fmt.Sprintf("%s wait, %s", c.Wait, map[string]string{harness.Cross: "two CPUs", harness.Same: "one CPU"}[c.Placement])
}

// conditions are those under which times are compared; spinning on one CPU only
// waits for the other's time slice. Where there is one CPU, the others are left
// out.
func conditions() (all []condition) {
	if harness.DefaultPlacement() == harness.Cross {
		for _, wait := range []string{"block", "adaptive", "spin"} {
			all = append(all, condition{wait, harness.Cross})
		}
	}
	return append(all, condition{"block", harness.Same}, condition{"adaptive", harness.Same})
}

// firstSizes are the payloads that every comparison of times has, in bytes.
// Where a rival is overtaken for good between two of them, sizes between are added
// until neighbours differ by no more than closeEnough, in at most refinements steps.
var firstSizes = []int{64, 4 << 10, 64 << 10, 1 << 20}

const (
	closeEnough = 2
	refinements = 2
)

// speedPlan gives each cell eight generations of two short rounds: the intervals
// live on the number of generations, and a pair on how close its rounds are. Times
// under emulation decide nothing, and take long: there an interval is enough.
func (b *Bench) speedPlan(c condition, sizes []int) harness.Plan {
	p := harness.DefaultPlan()
	p.Sizes, p.Waits, p.Placements = sizes, []string{c.Wait}, []string{c.Placement}
	p.Generations, p.Rounds, p.RoundTime = 8, 2, 8*time.Millisecond
	if b.Environment.Emulated {
		p.Generations = minPairs
	}
	return p
}

// Suffixes of the names of a subject's other transports: the ablation with a
// second copy, and the one that fills a Parcel first.
const (
	twoCopySuffix = "-2copy"
	parcelSuffix  = "-parcel"
)

// speedRun is the cells of one condition, by transport and payload.
type speedRun struct {
	condition condition
	cells     map[string]map[int]*harness.CellRecord
	floors    map[harness.FloorKey]*harness.FloorRecord
	skipped   map[string]string
}

// speed measures all rivals and subjects side by side under a condition.
func (b *Bench) speed(ctx context.Context, c condition) (*speedRun, error) {
	if b.speeds == nil {
		b.speeds = map[condition]*once[*speedRun]{}
	}
	if b.speeds[c] == nil {
		b.speeds[c] = &once[*speedRun]{}
	}
	return b.speeds[c].do(func() (*speedRun, error) { return b.measureSpeed(ctx, c) })
}

func (b *Bench) measureSpeed(ctx context.Context, c condition) (*speedRun, error) {
	run := &speedRun{condition: c, cells: map[string]map[int]*harness.CellRecord{},
		floors: map[harness.FloorKey]*harness.FloorRecord{}}
	sizes := firstSizes
	for range refinements + 1 {
		m, err := b.run(ctx, b.speedPlan(c, sizes), b.timedTransports(c), func(r *harness.Run) {
			if r.SideBySide(); c == firstCondition() {
				r.NoEvidence()
			} else {
				r.TimesOnly()
			}
		})
		if err != nil {
			return nil, err
		}
		run.add(m)
		between := run.between(b.subjectNames())
		if len(between) == 0 || b.Environment.Emulated {
			break
		}
		// The largest is measured again: channels are made for it.
		sizes = append(between, firstSizes[len(firstSizes)-1])
	}
	return run, nil
}

// firstCondition is the one that most people mean, and the one in which time is
// split into its parts: it has the floors, and the transport that fills a Parcel.
func firstCondition() condition { return conditions()[0] }

// timedTransports are the rivals, the subjects and the subjects' other
// transports, as far as the command knows them.
func (b *Bench) timedTransports(c condition) []string {
	suffixes := []string{twoCopySuffix}
	if c == firstCondition() {
		suffixes = append(suffixes, parcelSuffix)
	}
	names := slices.Concat(rivals, b.subjectNames())
	for _, subject := range b.subjectNames() {
		for _, suffix := range suffixes {
			if _, err := b.Transports.Lookup(subject + suffix); err == nil {
				names = append(names, subject+suffix)
			}
		}
	}
	return names
}

func (r *speedRun) add(m *harness.Measured) {
	for i := range m.Cells {
		c := &m.Cells[i]
		if r.cells[c.Transport] == nil {
			r.cells[c.Transport] = map[int]*harness.CellRecord{}
		}
		r.cells[c.Transport][c.RequestBytes] = c
	}
	for i := range m.Floors {
		r.floors[m.Floors[i].FloorKey] = &m.Floors[i]
	}
	r.skipped = reasons(m.Skipped)
}

// sizes of a transport, ascending.
func (r *speedRun) sizes(transport string) (all []int) {
	for n := range r.cells[transport] {
		all = append(all, n)
	}
	slices.Sort(all)
	return all
}

// have says why one of the transports was not measured, if so.
func (r *speedRun) have(transports ...string) error {
	for _, t := range transports {
		if len(r.cells[t]) > 0 {
			continue
		}
		reason := r.skipped[t]
		if reason == "" {
			reason = "there is no transport " + t
		}
		return absent(reason)
	}
	return nil
}

// firstError keeps the first reason why a subject was not measured; under other
// conditions it may lack more.
func firstError(first, err error) error {
	if first != nil {
		return first
	}
	return err
}

// between are sizes to add: in the middle of each gap in which a subject
// overtakes a rival for good.
func (r *speedRun) between(subjects []string) (add []int) {
	for _, subject := range subjects {
		for _, rival := range rivals {
			low, high := duel{Contests: r.contests(subject, rival)}.gap()
			if low > 0 && high > closeEnough*low {
				add = append(add, middle(low, high))
			}
		}
	}
	slices.Sort(add)
	return slices.Compact(add)
}

// middle is the power of two nearest to the geometric mean.
func middle(low, high int) int {
	n := low
	for n*n < low*high {
		n *= 2
	}
	return n
}

package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/harness/floor"
	"ipcbench/ipc"
)

// The harness knows no concrete transport; its floors stand in as transports
// here. "broker" has a third process.
var testTransports = ipc.NewRegistry(floor.Composite{}, floor.Broker{})

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == WorkerArgument {
		os.Exit(RunWorker(ipc.NewRegistry(floor.Composite{}, floor.Broker{}, tardy{})))
	}
	os.Exit(m.Run())
}

func shortPlan() Plan {
	p := DefaultPlan()
	p.Sizes = []int{0, 5, 64, 4096}
	p.Rounds, p.Generations, p.RoundTime = 2, 2, 2*time.Millisecond
	return p
}

// children are the processes that this one has started and that still run.
func children(t *testing.T) (pids []int) {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile("/proc/self/task/" + task.Name() + "/children")
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(b)) {
			var pid int
			if _, err := fmt.Sscan(field, &pid); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func nothingLeft(t *testing.T) {
	t.Helper()
	if left := children(t); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}

func measure(t *testing.T, p Plan, progress Progress) (*Measured, error) {
	t.Helper()
	r, err := Prepare(testTransports, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r.Measure(t.Context(), progress)
}

func TestRun(t *testing.T) {
	p := shortPlan()
	m, err := measure(t, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * len(p.Sizes); len(m.Cells) != want {
		t.Fatalf("%d cells, want %d", len(m.Cells), want)
	}
	for _, c := range m.Cells {
		if c.Verified == 0 || len(c.Generations) != p.Generations {
			t.Errorf("%+v: %d verified, %d generations", c.Key, c.Verified, len(c.Generations))
		}
		total := uint64(0)
		for _, generation := range c.Generations {
			for _, r := range generation {
				total += r.Operations
				if r.Elapsed < p.RoundTime || r.CostOperations < r.Operations || r.P50 <= 0 || r.Usage.CPU <= 0 {
					t.Errorf("%+v: round %+v", c.Key, r)
				}
			}
		}
		if total == 0 || total != uint64(c.Latency.TotalCount()) {
			t.Errorf("%+v: %d operations in rounds, %d in the histogram", c.Key, total, c.Latency.TotalCount())
		}
	}
	if len(m.Floors) == 0 {
		t.Error("no floors")
	}
	nothingLeft(t)
}

func TestOneWayAndOpenLoop(t *testing.T) {
	p := shortPlan()
	p.Sizes = []int{64}
	p.Workloads = []string{"one-way", "small-reply", "small-request"}
	if _, err := measure(t, p, nil); err != nil {
		t.Fatal(err)
	}
	p.Workloads, p.RatePerSecond = []string{"echo"}, 1000
	m, err := measure(t, p, nil)
	if err != nil && DefaultPlacement() != Same {
		t.Fatal(err)
	}
	for _, c := range m.Cells {
		for _, r := range c.Generations[0] {
			if r.Operations > uint64(p.RoundTime.Seconds()*1000)+2 {
				t.Errorf("%d operations in %v at 1000 a second", r.Operations, p.RoundTime)
			}
		}
	}
}

// Costs are taken over the warm-up as well, which therefore has to keep the pace:
// without it, ten thousand calls would hide what waiting costs.
func TestWarmUpKeepsThePace(t *testing.T) {
	p := shortPlan()
	p.Sizes, p.Gap, p.RoundTime = []int{64}, time.Millisecond, 20*time.Millisecond
	m, err := measure(t, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range m.Cells {
		for _, r := range c.Generations[0] {
			if r.CostOperations > 25 {
				t.Errorf("%s: %d operations in 24 ms with pauses of 1 ms", c.Transport, r.CostOperations)
			}
		}
	}
}

// Every row and floor says whether its payload was produced on huge pages: where
// the kernel gives them, and where it denies them.
func TestHugePages(t *testing.T) {
	p := shortPlan()
	p.Sizes, p.Generations, p.HugePages = []int{64}, 1, true
	probe, err := ipc.NewHugeBuffer(1)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Free()
	if !probe.OnHugePages() {
		t.Skip("the kernel gives no huge pages")
	}
	for _, denied := range []bool{false, true} {
		if denied {
			if err := unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0); err != nil {
				t.Skip("huge pages cannot be denied to workers: ", err)
			}
			defer unix.Prctl(unix.PR_SET_THP_DISABLE, 0, 0, 0, 0)
		}
		m, err := measure(t, p, nil)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, generations [][]Round) {
			for _, r := range generations[0] {
				if r.HugePages == denied {
					t.Errorf("%s, huge pages denied %v: %v", what, denied, r.HugePages)
				}
			}
		}
		for _, c := range m.Cells {
			check(c.Transport, c.Generations)
		}
		for _, f := range m.Floors {
			check("floor "+f.Kind, f.Generations)
		}
	}
}

// TestKilledWorker kills one worker after the other, at several points of a
// run.
func TestKilledWorker(t *testing.T) {
	p := shortPlan()
	p.Rounds = 50
	for victim := range 6 {
		told := 0
		m, err := measure(t, p, func(_ float64, what string) {
			if told++; told == 12+9*victim {
				workers := children(t)
				unix.Kill(workers[victim%len(workers)], unix.SIGKILL)
			}
		})
		if !errors.Is(err, ErrWorker) || !strings.Contains(err.Error(), "killed") {
			t.Errorf("victim %d: error %v", victim, err)
		}
		if m.Incomplete == "" {
			t.Errorf("victim %d: the result does not say that it is incomplete", victim)
		}
		nothingLeft(t)
	}
}

func TestInterruptKeepsWhatWasMeasured(t *testing.T) {
	p := shortPlan()
	p.Rounds = 1000
	r, err := Prepare(testTransports, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	told := 0
	m, err := r.Measure(ctx, func(float64, string) {
		if told++; told == 60 {
			stop()
		}
	})
	if !errors.Is(err, ErrInterrupted) || len(m.Cells) == 0 || m.Incomplete == "" {
		t.Errorf("error %v, %d cells, incomplete %q", err, len(m.Cells), m.Incomplete)
	}
	nothingLeft(t)
}

func TestSeedGivesTheOrder(t *testing.T) {
	order := func(seed uint64) (turns []string) {
		p := shortPlan()
		p.Seed, p.Generations = seed, 1
		if _, err := measure(t, p, func(_ float64, what string) { turns = append(turns, what) }); err != nil {
			t.Fatal(err)
		}
		return turns
	}
	if first, again := fmt.Sprint(order(1)), fmt.Sprint(order(1)); first != again {
		t.Errorf("one seed, two orders:\n%s\n%s", first, again)
	}
	if fmt.Sprint(order(1)) == fmt.Sprint(order(2)) {
		t.Error("two seeds, one order")
	}
}

func TestPlansThatCannotBeRun(t *testing.T) {
	for name, change := range map[string]func(*Plan){
		"rounds":      func(p *Plan) { p.Rounds = 0 },
		"generations": func(p *Plan) { p.Generations = 0 },
		"round time":  func(p *Plan) { p.RoundTime = 0 },
		"size":        func(p *Plan) { p.Sizes = []int{ipc.MaxPayload + 1} },
		"negative":    func(p *Plan) { p.Sizes = []int{-1} },
		"workload":    func(p *Plan) { p.Workloads = []string{"nothing"} },
		"wait":        func(p *Plan) { p.Waits = []string{"pray"} },
		"placement":   func(p *Plan) { p.Placements = []string{"moon"} },
		"clients":     func(p *Plan) { p.Clients = []int{0} },
		"many":        func(p *Plan) { p.Clients = []int{maxClients + 1} },
		"both paces":  func(p *Plan) { p.RatePerSecond, p.Gap = 1, 1 },
		"empty":       func(p *Plan) { p.Sizes = nil },
	} {
		p := shortPlan()
		change(&p)
		if _, err := Prepare(testTransports, p, nil); !errors.Is(err, ErrPlan) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := Prepare(testTransports, shortPlan(), []string{"carrier-pigeon"}); !errors.Is(err, ipc.ErrUnknownTransport) {
		t.Errorf("unknown transport: error %v", err)
	}
}

func TestSpinOnOneCPUIsSkipped(t *testing.T) {
	p := shortPlan()
	p.Waits, p.Placements = []string{"block", "spin"}, []string{Same}
	r, err := Prepare(testTransports, p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.skipped) != 2 {
		t.Errorf("skipped %+v", r.skipped)
	}
	for _, c := range r.cells {
		if c.channel.wait == ipc.Spin {
			t.Errorf("cell %+v", c.record.Key)
		}
	}
	if _, err := Prepare(testTransports, Plan{Sizes: p.Sizes, Workloads: p.Workloads, Clients: p.Clients, Rounds: 1, Generations: 1,
		RoundTime: 1, Waits: []string{"spin"}, Placements: []string{Same}}, []string{"composite"}); !errors.Is(err, ErrPlan) {
		t.Errorf("nothing left of a named transport: error %v", err)
	}
}

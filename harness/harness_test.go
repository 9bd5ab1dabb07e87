package harness

import (
	"context"
	"os"
	"testing"
	"time"

	"ipcbench/harness/floor"
	"ipcbench/ipc"
)

// The harness knows no concrete transport; its floors stand in as transports
// here.
var testTransports = ipc.NewRegistry(floor.Composite{}, floor.Broker{})

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == WorkerArgument {
		os.Exit(RunWorker(testTransports))
	}
	os.Exit(m.Run())
}

func shortPlan() Plan {
	p := DefaultPlan()
	p.Sizes = []int{0, 64, 4096}
	p.Rounds, p.Generations, p.RoundTime = 2, 2, 2*time.Millisecond
	return p
}

func TestRun(t *testing.T) {
	r, err := Prepare(testTransports, shortPlan(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Measure(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2 * 3; len(m.Cells) != want {
		t.Fatalf("%d cells, want %d", len(m.Cells), want)
	}
	for _, c := range m.Cells {
		if c.Latency.TotalCount() == 0 || c.Verified == 0 || len(c.Generations) != 2 || len(c.Generations[1]) != 2 {
			t.Errorf("%+v: %d operations, %d verified, generations %d", c.Key, c.Latency.TotalCount(), c.Verified, len(c.Generations))
		}
		t.Logf("%s %d: p50 %d", c.Transport, c.RequestBytes, c.Latency.ValueAtQuantile(50))
	}
	for _, f := range m.Floors {
		t.Logf("%+v p50 %d", f.FloorKey, f.Latency.ValueAtQuantile(50))
	}
}

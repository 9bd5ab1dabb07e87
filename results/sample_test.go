package results

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"ipcbench/harness"
	"ipcbench/harness/env"
	"ipcbench/harness/evidence"
	"ipcbench/ipc/copies"
)

// sample is a made-up run of a fixed seed: three transports at two sizes, with
// floors, a skip, one noisy row and one that disagrees with its evidence.
func sample() *Result {
	rng := rand.New(rand.NewPCG(1, 2))
	m := &harness.Measured{
		Plan: harness.Plan{Transports: []string{"pipe", "unix-stream", "shm"}, Sizes: []int{64, 65536},
			Workloads: []string{"echo"}, Clients: []int{1}, Waits: []string{"block"}, Placements: []string{"cross"},
			Rounds: 3, RoundTime: 1e8, Generations: 5, Seed: 7},
		Skipped:  []harness.Skip{{Transport: "posix-mq", Reason: "no room in RLIMIT_MSGQUEUE | 819200 bytes"}},
		Warnings: []string{"load 2.31 at the start"},
	}
	for _, work := range []struct {
		size            int
		pipe, unix, shm float64
	}{{64, 9100, 9150, 7300}, {65536, 41000, 37000, 22000}} {
		m.Cells = append(m.Cells,
			sampleCell(rng, "pipe", work.size, work.pipe, 0.01, 2),
			sampleCell(rng, "unix-stream", work.size, work.unix, 0.02, 2),
			sampleCell(rng, "shm", work.size, work.shm, 0.2, 1))
		m.Floors = append(m.Floors,
			sampleFloor(rng, "composite", work.size, work.shm*0.9),
			sampleFloor(rng, "broker", work.size, work.shm*1.8))
	}
	m.Floors = append(m.Floors, sampleFloor(rng, "futex", 0, 6000))
	m.Cells[3].Evidence["canary"] = evidence.Finding{Status: "disagrees", Detail: "3 places, the ledger says 2"}
	return Build(sampleEnvironment(), m)
}

func sampleEnvironment() env.Environment {
	return env.Environment{
		Time: "2026-01-02T03:04:05Z", OS: "linux", Kernel: "6.1.0", Arch: "amd64", Go: "go1.26",
		CPU:    env.CPU{Model: "Example CPU @ 3 GHz", Online: 2, Allowed: []int{0, 1}, Governor: "performance"},
		Memory: 8 << 30, Commit: "0123456789abcdef", Load: [3]float64{0.5, 0.4, 0.3},
		Limits: map[string]string{"msgmax": "8192"},
	}
}

func sampleCell(rng *rand.Rand, transport string, size int, p50, spread float64, copied uint64) harness.CellRecord {
	generations, h := sampleRounds(rng, size, p50, spread, copied)
	return harness.CellRecord{
		Key: harness.Key{Transport: transport, Workload: "echo", RequestBytes: size, ReplyBytes: size,
			Clients: 1, Wait: "block", Placement: "cross"},
		Generations: generations, Latency: h, Verified: 64,
		Evidence: map[string]evidence.Finding{"accounting": {Status: "not permitted", Detail: "perf_event_paranoid is 3"}},
	}
}

func sampleFloor(rng *rand.Rand, kind string, size int, p50 float64) harness.FloorRecord {
	generations, h := sampleRounds(rng, size, p50, 0.01, 1)
	key := harness.FloorKey{Kind: kind, RequestBytes: size, ReplyBytes: size, Wait: "block", Placement: "cross"}
	return harness.FloorRecord{FloorKey: key,
		Latency: h, Generations: generations}
}

// sampleRounds draws five generations of three rounds of a thousand
// operations.
func sampleRounds(rng *rand.Rand, size int, p50, spread float64, copied uint64) ([][]harness.Round, *hdrhistogram.Histogram) {
	all := hdrhistogram.New(1, int64(time.Minute), 3)
	generations := make([][]harness.Round, 5)
	for g := range generations {
		typical := p50 * math.Exp(spread*rng.NormFloat64())
		for range 3 {
			h := hdrhistogram.New(1, int64(time.Minute), 3)
			for range 1000 {
				_ = h.RecordValue(int64(typical * math.Exp(0.1*rng.NormFloat64())))
			}
			all.Merge(h)
			generations[g] = append(generations[g], sampleRound(h, size, copied))
		}
	}
	return generations, all
}

func sampleRound(h *hdrhistogram.Histogram, size int, copied uint64) harness.Round {
	ops := uint64(h.TotalCount())
	payload := ops * uint64(size)
	return harness.Round{
		P50: float64(h.ValueAtPercentile(50)), P90: float64(h.ValueAtPercentile(90)), P99: float64(h.ValueAtPercentile(99)),
		Operations: ops, Elapsed: time.Duration(h.Mean() * float64(ops)), CostOperations: ops,
		Ledger: copies.Report{
			Sites: []copies.SiteReport{
				{Name: "example/write", Kernel: true, Direction: copies.Request, Payload: copied * payload, Header: 8 * ops, Times: ops},
				{Name: "example/write", Kernel: true, Direction: copies.Reply, Payload: copied * payload, Header: 8 * ops, Times: ops},
			},
			Delivered: [2]uint64{payload, payload}, Messages: [2]uint64{ops, ops}, Syscalls: 4 * ops,
		},
		Usage: harness.Usage{CPU: time.Duration(ops) * 8 * time.Microsecond, VoluntarySwitches: int64(2 * ops), MinorFaults: 3},
	}
}

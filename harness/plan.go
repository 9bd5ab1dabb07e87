package harness

import "time"

// Plan is what a run is asked to do. Its lists are crossed.
type Plan struct {
	Transports  []string      `json:"transports"`
	Sizes       []int         `json:"sizes"`
	Workloads   []string      `json:"workloads"`
	Clients     []int         `json:"clients"`
	Waits       []string      `json:"waits"`
	Placements  []string      `json:"placements"`
	Rounds      int           `json:"rounds"`
	RoundTime   time.Duration `json:"round_time_ns"`
	Generations int           `json:"generations"`
	// RatePerSecond of an open loop, all clients together, and Gap before
	// each operation; 0 is a closed loop.
	RatePerSecond float64       `json:"rate_per_second,omitempty"`
	Gap           time.Duration `json:"gap_ns,omitempty"`
	// HugePages asks for payload buffers on huge pages, for all rows alike.
	HugePages bool   `json:"huge_pages,omitempty"`
	Seed      uint64 `json:"seed"`
}

// DefaultPlan measures everything that is fit for the default matrix, in about
// a minute on two CPUs.
func DefaultPlan() Plan {
	return Plan{
		Sizes:       []int{64, 4 << 10, 64 << 10, 1 << 20},
		Workloads:   []string{"echo"},
		Clients:     []int{1},
		Waits:       []string{"block"},
		Placements:  []string{DefaultPlacement()},
		Rounds:      3,
		RoundTime:   20 * time.Millisecond,
		Generations: 5,
		Seed:        1,
	}
}

// warmUp is the part of a round's time that is run before the clock.
const warmUpPart = 5

func (p Plan) warmUp() time.Duration { return p.RoundTime / warmUpPart }

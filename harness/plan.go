package harness

// Plan is what was asked for.
type Plan struct {
	Transports  []string `json:"transports"`
	Sizes       []int    `json:"sizes"`
	Workloads   []string `json:"workloads"`
	Clients     []int    `json:"clients"`
	Waits       []string `json:"waits"`
	Placements  []string `json:"placements"`
	Rounds      int      `json:"rounds"`
	RoundTimeNS int64    `json:"round_time_ns"`
	Generations int      `json:"generations"`
	// RatePerSecond of an open loop, GapNS of idle gaps; 0 is a closed loop.
	RatePerSecond float64 `json:"rate_per_second,omitempty"`
	GapNS         int64   `json:"gap_ns,omitempty"`
	Seed          uint64  `json:"seed"`
}

package claims

// contest is a subject against a rival at one payload size, under one condition:
// ratios of what an operation takes, below 1 where the subject takes less.
type contest struct {
	Bytes int `json:"payload_bytes"`
	// Latency is the median of a round, Time the mean of one operation after
	// the other (the inverse of throughput), CPU that of all processes.
	Latency ratio `json:"latency"`
	Time    ratio `json:"time_per_op"`
	CPU     ratio `json:"cpu_per_op"`
}

// outcome of a contest.
type outcome int

const (
	open outcome = iota
	more         // efficient
	notMore
)

// clearly is the ratio from which a difference counts: what is less than a
// twentieth may be the layout of a binary.
const clearly = 1.05

// outcome: more efficient takes clearly less time and not clearly more CPU, with
// the whole interval. Not more efficient is the opposite, as surely.
func (c contest) outcome() outcome {
	switch {
	case c.Latency.Generations == 0:
		return open
	case c.Latency.above(1/clearly) || c.CPU.above(clearly):
		return notMore
	case c.Latency.below(1 / clearly):
		return more
	}
	return open
}

// contests of a subject against a rival, by ascending size.
func (r *speedRun) contests(subject, rival string) (all []contest) {
	for _, n := range r.sizes(subject) {
		a, b := r.cells[subject][n], r.cells[rival][n]
		if b == nil {
			continue
		}
		all = append(all, contest{Bytes: n, Latency: ratioOf(a, b, p50), Time: ratioOf(a, b, timePerOp), CPU: ratioOf(a, b, cpuPerOp)})
	}
	return all
}

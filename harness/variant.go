package harness

import "time"

// AddVariant adds a twin of every cell under a name of its own, with workers of
// its own, whose clients spin for delay inside the clock of every operation.
// Self-tests prove with it that a slow-down is found.
func (r *Run) AddVariant(name string, delay func(Key) time.Duration) {
	for _, c := range r.cells {
		if c.channel.variant != "" {
			continue
		}
		twin := *c
		twin.record.Variant, twin.channel.variant = name, name
		twin.delay = delay(c.record.Key)
		r.cells = append(r.cells, &twin)
	}
}

// TimesOnly leaves out what a self-test of latencies does not need: evidence
// and floors.
func (r *Run) TimesOnly() {
	r.evidence, r.floors = false, nil
}

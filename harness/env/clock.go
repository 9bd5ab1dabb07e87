package env

import "time"

// clockRead is what one read of the monotonic clock costs, in nanoseconds: the
// best of several batches, as nothing but disturbance makes a batch slower.
func clockRead() float64 {
	const batches, reads = 20, 1000
	start := time.Now()
	best := time.Duration(1<<63 - 1)
	for range batches {
		begin := time.Since(start)
		for range reads {
			_ = time.Since(start)
		}
		best = min(best, time.Since(start)-begin)
	}
	return float64(best) / reads
}

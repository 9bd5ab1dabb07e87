package workload

import (
	"fmt"
	"strings"
)

// SmallBytes is the small side of the unequal workloads.
const SmallBytes = 16

// Workload says what one operation is.
type Workload struct {
	// Name in flags and results.
	Name string
	// Summary in one line.
	Summary string
	// OneWay operations are not answered; a burst of them ends with a call,
	// which is.
	OneWay bool
	sizes  func(size int) (request, reply int)
}

// Sizes are the request's and the reply's bytes for a nominal payload size.
func (w Workload) Sizes(size int) (request, reply int) { return w.sizes(size) }

// All workloads, the default first.
var All = []Workload{
	{Name: "echo", Summary: "request and reply of the same size",
		sizes: func(n int) (int, int) { return n, n }},
	{Name: "small-reply", Summary: "N bytes up, 16 B down",
		sizes: func(n int) (int, int) { return n, SmallBytes }},
	{Name: "small-request", Summary: "16 B up, N bytes down",
		sizes: func(n int) (int, int) { return SmallBytes, n }},
	{Name: "one-way", Summary: "bursts of unanswered requests of N bytes, ended by one acknowledged call; time per request", OneWay: true,
		sizes: func(n int) (int, int) { return n, 0 }},
}

// Lookup finds a workload by name.
func Lookup(name string) (Workload, error) {
	var names []string
	for _, w := range All {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	return Workload{}, fmt.Errorf("unknown workload %q (have %s)", name, strings.Join(names, ", "))
}

// Burst is how many one-way requests of a size make one burst: enough to hide
// the acknowledgement, few enough to fit a round.
func Burst(request int) int {
	const bytes, least, most = 4 << 20, 4, 64
	return max(least, min(most, bytes/max(request, 1)))
}

// Package evidence checks the copy ledger against sources that do not come from
// it: the kernel's tracepoints and a search of both processes' memory.
package evidence

// Finding is what a source other than the ledger found.
type Finding struct {
	// Status is "agrees", "disagrees", "not permitted", "unavailable" or
	// "not applicable".
	Status string `json:"status"`
	// Detail is the reason, or where it disagrees.
	Detail string `json:"detail,omitempty"`
	// Counted is what the source counted, next to Ledger, what the ledger
	// says of the same operations.
	Counted map[string]float64 `json:"counted,omitempty"`
	Ledger  map[string]float64 `json:"ledger,omitempty"`
}

package evidence

import (
	"errors"
	"io/fs"
)

// What a [Finding]'s Status says.
const (
	Agrees        = "agrees"
	Disagrees     = "disagrees"
	NotPermitted  = "not permitted"
	Unavailable   = "unavailable"
	NotApplicable = "not applicable"
)

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
	// Places are where a canary scan found the payload.
	Places []Place `json:"places,omitempty"`
}

// Missing is the finding of a source that failed: not permitted if that is the
// reason, else unavailable.
func Missing(err error) Finding {
	if errors.Is(err, fs.ErrPermission) {
		return Finding{Status: NotPermitted, Detail: err.Error()}
	}
	return Finding{Status: Unavailable, Detail: err.Error()}
}

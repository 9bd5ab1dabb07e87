package results

import (
	"fmt"
	"strings"

	"ipcbench/harness"
)

// Shared is what cells have in common. What they differ in is empty or 0, as
// the transport and the sizes always are.
type Shared struct{ key harness.Key }

// SharedBy is what the keys of cells have in common.
func SharedBy(keys []harness.Key) Shared {
	if len(keys) == 0 {
		return Shared{}
	}
	s := keys[0]
	s.Transport, s.RequestBytes, s.ReplyBytes = "", 0, 0
	for _, k := range keys {
		if k.Workload != s.Workload {
			s.Workload = ""
		}
		if k.Wait != s.Wait {
			s.Wait = ""
		}
		if k.Placement != s.Placement {
			s.Placement = ""
		}
		if k.Clients != s.Clients {
			s.Clients = 0
		}
	}
	return Shared{s}
}

// Name is what a cell does not share with the others, on one line. A key without
// a workload is a benchmark of elsewhere, of which only the name is known.
func (s Shared) Name(k harness.Key) string {
	if k.Workload == "" {
		return k.Transport
	}
	parts := []string{k.Transport, payload(k)}
	if s.key.Workload == "" {
		parts = append(parts, k.Workload)
	}
	if s.key.Wait == "" {
		parts = append(parts, k.Wait)
	}
	if s.key.Placement == "" {
		parts = append(parts, k.Placement)
	}
	if s.key.Clients == 0 {
		parts = append(parts, fmt.Sprintf("%d clients", k.Clients))
	}
	return strings.Join(parts, " ")
}

// String is the conditions in words, or empty where nothing is shared.
func (s Shared) String() string {
	var parts []string
	if s.key.Workload != "" {
		parts = append(parts, s.key.Workload)
	}
	if s.key.Wait != "" {
		parts = append(parts, "wait "+s.key.Wait)
	}
	if s.key.Placement != "" {
		parts = append(parts, "placement "+s.key.Placement)
	}
	if s.key.Clients > 0 {
		parts = append(parts, fmt.Sprintf("clients %d", s.key.Clients))
	}
	return strings.Join(parts, ", ")
}

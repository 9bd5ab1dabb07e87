package evidence

import (
	"fmt"
	"strings"

	"ipcbench/ipc/copies"
)

// CheckCanary compares the places where Scan found the payload of a message
// with the copies that the ledger has, on average, for one message of that
// direction. Expected is the producer's own buffer, and one place more for every
// copy that ends in memory which a process sees; a copy into the kernel does not.
//
// Counted and Ledger have "visible_copies".
func CheckCanary(places []Place, ledger copies.Report, d copies.Direction) Finding {
	if ledger.Delivered[d] == 0 {
		return Finding{Status: NotApplicable, Detail: fmt.Sprintf("no %s payload was delivered", d)}
	}
	expected := 1
	for _, site := range ledger.Sites {
		if site.Direction != d {
			continue
		}
		visible, err := endsInView(site)
		if err != nil {
			return Missing(err)
		}
		if visible {
			expected += perMessage(site, ledger.Delivered[d])
		}
	}
	found := Copies(places)
	f := Finding{
		Status:  Agrees,
		Detail:  describe(places),
		Places:  places,
		Counted: map[string]float64{"visible_copies": float64(found)},
		Ledger:  map[string]float64{"visible_copies": float64(expected)},
	}
	if found != expected {
		f.Status = Disagrees
		f.Detail = fmt.Sprintf("%d copies found, %d expected: %s", found, expected, f.Detail)
	}
	return f
}

// endsInView reports whether a site copies into memory that a process sees.
func endsInView(site copies.SiteReport) (bool, error) {
	if !site.Kernel {
		return true, nil
	}
	call, known := byName(callOf(site))
	if !known || call.way == nothing {
		return false, fmt.Errorf("site %q: where its system call copies to is not known", site.Name)
	}
	return call.way == intoUser, nil
}

// perMessage is how often a site copies a byte of payload, rounded up: a site
// that copies part of a message makes a place of that part.
func perMessage(site copies.SiteReport, delivered uint64) int {
	return int((site.Payload + delivered - 1) / delivered)
}

// describe lists the mappings that hold each place.
func describe(places []Place) string {
	var parts []string
	for _, p := range places {
		var views []string
		for _, v := range p.Views {
			name := v.Mapping
			if name == "" {
				name = "private memory"
			}
			views = append(views, fmt.Sprintf("%s of process %d", name, v.PID))
		}
		parts = append(parts, strings.Join(views, " = "))
	}
	return strings.Join(parts, "; ")
}

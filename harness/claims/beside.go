package claims

import (
	"fmt"
	"maps"
	"slices"

	"ipcbench/harness/env"
)

// Elsewhere is another machine, on which columns of a report were measured.
type Elsewhere struct {
	// Name that its columns bear.
	Name        string          `json:"name"`
	Environment env.Environment `json:"environment"`
}

// Beside is the report of one machine with columns of other machines beside its
// own: those of subjects that it lacks, as the kernel's driver. A column from
// elsewhere is named after both, and counts for a claim's verdict like any other.
func (r *Report) Beside(others ...*Report) *Report {
	joined := *r
	joined.Claims = slices.Clone(r.Claims)
	joined.Elsewhere = slices.Clone(r.Elsewhere)
	for _, other := range others {
		machine := machineName(other.Environment)
		for _, subject := range r.lacking() {
			if joined.take(other, subject, subject+" in "+machine) {
				joined.Elsewhere = append(joined.Elsewhere, Elsewhere{machine, other.Environment})
			}
		}
	}
	return &joined
}

// machineName tells a machine from others in a few words.
func machineName(e env.Environment) string {
	if e.Virtualisation != "" {
		return e.Virtualisation
	}
	return "Linux " + e.Kernel
}

// lacking are the subjects that no claim could be tried on.
func (r *Report) lacking() (names []string) {
	tried := map[string]bool{}
	for i := range r.Claims {
		for _, name := range r.Claims[i].Order {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			tried[name] = tried[name] || r.Claims[i].Columns[name].Verdict != NotTestable
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return tried[name] })
}

// take adds the columns of a subject of another report, as they are to be called,
// and says whether there were any.
func (r *Report) take(other *Report, subject, as string) (taken bool) {
	for i := range r.Claims {
		o := &r.Claims[i]
		found := other.Find(o.ID)
		if found == nil {
			continue
		}
		column, have := found.Columns[subject]
		if _, twice := o.Columns[as]; !have || twice {
			continue
		}
		o.Columns = maps.Clone(o.Columns)
		o.Columns[as], o.Order = column, append(slices.Clone(o.Order), as)
		o.When, o.Confidence = "", ""
		o.conclude()
		taken = true
	}
	return taken
}

// Contradictions are where two reports decided differently, column by column. A
// verdict that decides nothing contradicts none.
func (r *Report) Contradictions(other *Report) (all []string) {
	for i := range r.Claims {
		o := &r.Claims[i]
		found := other.Find(o.ID)
		if found == nil {
			continue
		}
		for _, name := range o.Order {
			mine, theirs := o.Columns[name].Verdict, found.Columns[name].Verdict
			if mine.Decided() && theirs.Decided() && mine != theirs {
				all = append(all, fmt.Sprintf("%s of %s is %s, not %s", o.ID, name, mine, theirs))
			}
		}
	}
	return all
}

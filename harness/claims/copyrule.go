package claims

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"ipcbench/harness"
	"ipcbench/harness/evidence"
)

// sameCount is how far a number of copies may be from a whole one: a message
// that straddles the begin of a round is counted on one side alone.
const sameCount = 0.02

// judgeCopies decides whether a transport makes want copies in the directions
// that of yields, at every size.
//
// Refuted: another number at every size. Conditional: at some sizes. A source
// that contradicts the ledger leaves it open, as does a run without payload.
func judgeCopies(n copyCounts, want float64, of func(counted) []float64) Judgement {
	var as, other []int
	for _, c := range n.Sizes {
		if c.Bytes == 0 {
			continue
		}
		if fits := !slices.ContainsFunc(of(c), func(v float64) bool { return math.Abs(v-want) > sameCount }); fits {
			as = append(as, c.Bytes)
		} else {
			other = append(other, c.Bytes)
		}
	}
	j := Judgement{Text: copyText(n, of), Confidence: sourcesText(n)}
	doubt := contradiction(n)
	switch {
	case doubt != "":
		j.Verdict, j.Text = Inconclusive, doubt+"; by the ledger "+j.Text
	case len(as)+len(other) == 0:
		j.Verdict, j.Text = Inconclusive, "no payload was carried"
	case len(other) == 0:
		j.Verdict = Supported
	case len(as) == 0:
		j.Verdict = Refuted
	default:
		j.Verdict, j.When = Conditional, "for payloads of "+sizeList(as)
	}
	return j
}

func bothWays(c counted) []float64 { return []float64{c.Request, c.Reply} }

// contradiction is what a source says against the ledger's copies, or empty.
func contradiction(n copyCounts) string {
	for _, c := range n.Sizes {
		for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
			if f := c.Sources[name]; contradictsCopies(f, c.Bytes) {
				return fmt.Sprintf("%s contradicts the ledger at %s: %s", name, harness.SizeText(c.Bytes), f.Detail)
			}
		}
	}
	return ""
}

// contradictsCopies leaves aside differences that can be no copy of a payload: in
// the number of system calls, and in fewer bytes than one payload has.
func contradictsCopies(f evidence.Finding, payload int) bool {
	if f.Status != evidence.Disagrees {
		return false
	}
	explained := false
	for what, ledger := range f.Ledger {
		difference := math.Abs(f.Counted[what] - ledger)
		switch {
		case difference == 0:
		case what == "syscalls", strings.HasSuffix(what, "_bytes") && (payload == 0 || difference < float64(payload)):
			explained = true
		default:
			return true
		}
	}
	return !explained
}

// copyText lists copies per direction by runs of sizes that have the same.
func copyText(n copyCounts, of func(counted) []float64) string {
	var parts []string
	var sizes []int
	last := ""
	flush := func() {
		if len(sizes) > 0 {
			parts = append(parts, fmt.Sprintf("%s at %s", last, sizeList(sizes)))
		}
		sizes = nil
	}
	for _, c := range n.Sizes {
		if c.Bytes == 0 {
			continue
		}
		if text := copiesText(of(c)); text != last {
			flush()
			last = text
		}
		sizes = append(sizes, c.Bytes)
	}
	flush()
	return strings.Join(parts, "; ")
}

// copiesText is a number of copies, or both where they differ.
func copiesText(each []float64) string {
	first, last := fmt.Sprintf("%.3g", each[0]), fmt.Sprintf("%.3g", each[len(each)-1])
	switch {
	case first != last:
		return fmt.Sprintf("copies of a request: %s, of a reply: %s", first, last)
	case first == "1":
		return "1 copy each way"
	}
	return first + " copies each way"
}

// sourcesText says how many sizes each source confirmed.
func sourcesText(n copyCounts) string {
	agree := map[string]int{}
	for _, c := range n.Sizes {
		for name, f := range c.Sources {
			if f.Status == evidence.Agrees {
				agree[name]++
			}
		}
	}
	if len(agree) == 0 {
		return "ledger only"
	}
	var parts []string
	for name, times := range agree {
		parts = append(parts, fmt.Sprintf("%s (%d sizes)", name, times))
	}
	slices.Sort(parts)
	return "ledger, confirmed by " + strings.Join(parts, ", ")
}

func sizeList(sizes []int) string {
	if len(sizes) > 2 {
		return fmt.Sprintf("%s to %s (%d sizes)", harness.SizeText(sizes[0]), harness.SizeText(sizes[len(sizes)-1]), len(sizes))
	}
	var words []string
	for _, n := range sizes {
		words = append(words, harness.SizeText(n))
	}
	return strings.Join(words, " and ")
}

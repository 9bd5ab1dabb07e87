package results

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// rankingHelp says how to read a ranking.
const rankingHelp = "Fastest first. The rows of a list cannot be told from its first one; the first one behind a < is slower than " +
	"the first one before it. Each pair is tested by itself: paired t-test over worker generations, 5 % level."

// rankings say of each group in one line which rows differ.
func (r *Result) rankings() (lines []string) {
	for _, g := range r.groups() {
		if tiers := tiersOf(g.ranked()); len(tiers) > 0 {
			lines = append(lines, g.title()+": "+strings.Join(tiers, " < "))
		}
	}
	return lines
}

// ranked is the rows that have a p50, fastest first.
func (g *group) ranked() (cells []*Cell) {
	for _, c := range g.cells {
		if !math.IsNaN(centre(c.RoundP50NS)) {
			cells = append(cells, c)
		}
	}
	slices.SortStableFunc(cells, func(a, b *Cell) int {
		return cmp.Compare(centre(a.RoundP50NS), centre(b.RoundP50NS))
	})
	return cells
}

// tiersOf lists names: a tier is a row and those behind it that the test cannot
// tell from it, and the first that it can tell begins the next tier. A single
// row has nothing to differ from.
func tiersOf(ranked []*Cell) (tiers []string) {
	if len(ranked) < 2 {
		return nil
	}
	first := ranked[0]
	tiers = []string{plain(first.Name())}
	for _, c := range ranked[1:] {
		if order := Order(first, c); order.Verdict == Faster {
			first = c
			tiers = append(tiers, fmt.Sprintf("%s (%s)", plain(c.Name()), significance(order.P)))
		} else {
			tiers[len(tiers)-1] += ", " + plain(c.Name())
		}
	}
	return tiers
}

package harness

import (
	"cmp"
	"slices"
)

// adjacent moves the variants of each cell next to each other, where the first
// of them stands, so that drift between their turns is small: their order
// stays as it is.
func adjacent(turns []turn) []turn {
	type place struct {
		conditions     channel
		request, reply int
	}
	var order []place
	together := map[place][]turn{}
	for _, t := range turns {
		p := place{conditions: t.unit.conditions()}
		p.request, p.reply = t.unit.payload()
		p.conditions.variant, p.conditions.program = "", ""
		if together[p] == nil {
			order = append(order, p)
		}
		together[p] = append(together[p], t)
	}
	out := turns[:0:0]
	for _, p := range order {
		out = append(out, together[p]...)
	}
	return out
}

// sortTurns puts turns into an order that does not depend on Go's maps, so
// that a seed gives the same shuffle each time.
func sortTurns(turns []turn) {
	slices.SortFunc(turns, func(a, b turn) int {
		x, y := a.unit.conditions(), b.unit.conditions()
		xq, xr := a.unit.payload()
		yq, yr := b.unit.payload()
		return cmp.Or(cmp.Compare(x.transport, y.transport), cmp.Compare(x.clients, y.clients),
			cmp.Compare(x.wait, y.wait), cmp.Compare(x.variant, y.variant), cmp.Compare(x.placement, y.placement), cmp.Compare(xq, yq), cmp.Compare(xr, yr))
	})
}

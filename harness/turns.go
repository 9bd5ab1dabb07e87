package harness

import (
	"cmp"
	"slices"
)

// SideBySide lets all transports of equal payload and conditions take their
// turns one after the other, in shuffled order, so that the ratio of two of them
// in one round is taken while the machine is the same.
func (r *Run) SideBySide() { r.sideBySide = true }

// turnPlace is what turns have in common that stand next to each other.
type turnPlace struct {
	conditions     channel
	request, reply int
}

// byCell is the place of a cell and its variants.
func byCell(t turn) turnPlace {
	p := turnPlace{conditions: t.unit.conditions()}
	p.request, p.reply = t.unit.payload()
	p.conditions.variant, p.conditions.program = "", ""
	return p
}

// byPayload is the place of all transports with one payload.
func byPayload(t turn) turnPlace {
	p := byCell(t)
	p.conditions = channel{clients: p.conditions.clients, placement: p.conditions.placement}
	return p
}

// adjacent moves turns of the same place next to each other, where the first
// of them stands, so that drift between their turns is small: their order
// stays as it is.
func adjacent(turns []turn, placeOf func(turn) turnPlace) []turn {
	var order []turnPlace
	together := map[turnPlace][]turn{}
	for _, t := range turns {
		p := placeOf(t)
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

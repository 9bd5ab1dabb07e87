package harness

import (
	"cmp"
	"slices"
)

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

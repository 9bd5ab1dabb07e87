package harness

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Side by side, transports of one payload follow each other, whatever their
// order was.
func TestSideBySide(t *testing.T) {
	var turns []turn
	for _, size := range []int{64, 4096} {
		for _, name := range []string{"a", "b", "c"} {
			turns = append(turns, turn{unit: &cellUnit{record: CellRecord{Key: Key{RequestBytes: size, ReplyBytes: size}},
				channel: channel{transport: name, clients: 1}}})
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	sizes := []int{}
	for _, turn := range adjacent(turns, byPayload) {
		n, _ := turn.unit.payload()
		sizes = append(sizes, n)
	}
	if len(sizes) != 6 || len(slices.Compact(sizes)) != 2 {
		t.Errorf("%v", sizes)
	}
}

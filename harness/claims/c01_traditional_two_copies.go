package claims

import "context"

// C1 is tried on the traditional mechanisms, each a column.
var traditionalCopiesTwice = Drawing(DefineFor(Meta{
	ID: "C1",
	Statement: "Traditional IPC (socket, pipe, message queue) copies the payload twice in each direction: " +
		"from the sender into the kernel, and from the kernel to the receiver.",
	Source:     "D1 2.1; D2 part 1",
	Refutation: "A mechanism that moves the payload once, or more than twice, at any size.",
	Experiment: "Copies per direction, counted where they are made, at sizes from 64 B to 4 MiB; checked against the " +
		"kernel's tracepoints and a search of both processes' memory.",
}, rivals, func(ctx context.Context, b *Bench, transport string) (copyCounts, error) {
	return b.copyCounts(ctx, transport)
}, judgeTwoCopies), drawCopies)

func judgeTwoCopies(n copyCounts) Judgement { return judgeCopies(n, 2, bothWays) }

// drawCopies shows requests; replies have the same where a claim holds.
func drawCopies(columns []string, numbers []copyCounts) []Figure {
	f := Figure{Title: "Copies of a request", XLabel: "payload", XUnit: Bytes, YLabel: "copies", LogX: true}
	for i, n := range numbers {
		s := Series{Name: columns[i]}
		for _, c := range n.Sizes {
			if c.Bytes > 0 {
				s.Points = append(s.Points, [2]float64{float64(c.Bytes), c.Request})
			}
		}
		f.Series = append(f.Series, s)
	}
	return []Figure{f}
}

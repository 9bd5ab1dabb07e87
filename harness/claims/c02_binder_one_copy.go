package claims

import "context"

var binderCopiesOnce = Drawing(Define(Meta{
	ID: "C2",
	Statement: "Binder copies the payload once in each direction, requests and replies alike: the receiver reads it " +
		"where the driver put it.",
	Source:     "D1 2.2, 2.3; D2 part 1",
	Refutation: "A second copy in either direction, at any size.",
	Experiment: "Copies per direction, counted where they are made, at sizes from 64 B to 4 MiB; a search of both " +
		"processes' memory after an operation finds the payload in the sender's buffer and in the region, and nowhere else.",
}, func(ctx context.Context, b *Bench, s Subject) (copyCounts, error) {
	return b.copyCounts(ctx, s.Name())
}, judgeOneCopy), drawCopies)

func judgeOneCopy(n copyCounts) Judgement { return judgeCopies(n, 1, bothWays) }

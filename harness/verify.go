package harness

import (
	"context"
	"fmt"
)

// verifyBytes bounds the payload that one verification moves each way.
const verifyBytes = 1 << 20

// verifyOperations is how many operations prove a cell in one generation.
func verifyOperations(size int) int { return max(2, min(16, verifyBytes/max(size, 1))) }

// verify checks every byte of some operations of every cell, outside the
// clock.
func (b *batch) verify(ctx context.Context) error { return b.eachCell(ctx, b.verifyCell) }

// eachCell does something to every cell, in shuffled order, while the workers live.
func (b *batch) eachCell(ctx context.Context, do func(*cellUnit, *group) error) error {
	for _, t := range b.turns() {
		cell, ok := t.unit.(*cellUnit)
		if !ok {
			continue
		}
		if err := b.alive(ctx); err != nil {
			return err
		}
		if err := do(cell, t.group); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) verifyCell(cell *cellUnit, g *group) error {
	s := cell.session(b.plan)
	s.Mode, s.WarmUp, s.Time, s.Rate, s.Gap, s.Injection = verifyMode, 0, 0, 0, 0, Injection{}
	s.Operations = verifyOperations(max(s.Request, s.Reply))
	s.Seed = b.random.Uint64()
	round, _, mismatches, err := g.round(s)
	if err != nil {
		return err
	}
	if mismatches > 0 {
		return fmt.Errorf("%w: %s: verification of %d B: %d messages did not hold what was sent", ErrWorker,
			cell.record.Transport, s.Request, mismatches)
	}
	cell.record.Verified += round.Operations
	cell.record.Notes = g.notes()
	return nil
}

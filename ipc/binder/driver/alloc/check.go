package alloc

import (
	"fmt"

	"ipcbench/ipc/binder/driver/arena"
)

// Check says what is wrong with a region: blocks must follow each other
// without gap, be in exactly the tree that fits them, and sum up to what the
// region says of itself. It returns how many buffer records the region has.
func Check(a *arena.Arena, space arena.Ref[Space]) (records int, err error) {
	s := space.In(a)
	records, err = byAddress.Check(a, s.all)
	if err != nil {
		return records, err
	}
	free, err := bySize.Check(a, buffers, s.free)
	if err != nil {
		return records, err
	}
	allocated, err := byOffset.Check(a, buffers, s.allocated)
	if err != nil {
		return records, err
	}
	at, async, inUse, prevFree := uint32(0), uint32(0), 0, false
	for r := s.all.First; r != 0; r = r.In(a).link.Next {
		b := r.In(a)
		if b.Offset != at || b.Size == 0 || b.Size%alignment != 0 {
			return records, fmt.Errorf("%w: block at %d of %d bytes, want it at %d", arena.ErrDamaged, b.Offset, b.Size, at)
		}
		if b.isFree && prevFree && s.last != r && s.last != b.link.Prev {
			return records, fmt.Errorf("%w: neighbours at %d are both free", arena.ErrDamaged, at)
		}
		at, prevFree = at+b.Size, b.isFree
		if !b.isFree {
			inUse++
			if b.Async {
				async += b.Size
			}
		}
	}
	if r := s.newest; r != 0 && (!buffers.Is(a, r) || r.In(a).isFree) {
		return records, fmt.Errorf("%w: the newest buffer is none", arena.ErrDamaged)
	}
	if s.last != 0 {
		free, allocated = free+1, allocated-1
	}
	if at != s.Size || inUse != allocated || inUse != int(s.Buffers) || records-inUse != free || async+s.AsyncFree != s.Size/2 {
		return records, fmt.Errorf("%w: region of %d bytes has %d, %d buffers (%d in the tree, %d counted), async %d+%d",
			arena.ErrDamaged, s.Size, at, inUse, allocated, s.Buffers, async, s.AsyncFree)
	}
	return records, nil
}

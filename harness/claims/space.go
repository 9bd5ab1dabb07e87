package claims

import (
	"cmp"
	"slices"
)

// space is a model of a region: which extents of it are taken.
type space struct {
	size  uint64
	taken []extent // by offset
}

// extent is a piece of a region, in bytes.
type extent struct{ offset, size uint64 }

func (s *space) take(e extent) {
	at, _ := slices.BinarySearchFunc(s.taken, e, byOffset)
	s.taken = slices.Insert(s.taken, at, e)
}

func (s *space) free(offset uint64) {
	if at, ok := slices.BinarySearchFunc(s.taken, extent{offset, 0}, byOffset); ok {
		s.taken = slices.Delete(s.taken, at, at+1)
	}
}

func byOffset(a, b extent) int { return cmp.Compare(a.offset, b.offset) }

func (s *space) used() (n uint64) {
	for _, e := range s.taken {
		n += e.size
	}
	return n
}

// holes are what is not taken, by offset.
func (s *space) holes() (all []extent) {
	at := uint64(0)
	for _, e := range append(slices.Clip(s.taken), extent{s.size, 0}) {
		if e.offset > at {
			all = append(all, extent{at, e.offset - at})
		}
		at = e.offset + e.size
	}
	return all
}

// place is where a policy, which says whether a hole is better than another, puts
// size bytes: at the low end of the best hole. ok is false where none is large
// enough.
func (s *space) place(size uint64, better func(a, b extent) bool) (offset uint64, ok bool) {
	var best extent
	for _, h := range s.holes() {
		if h.size >= size && (!ok || better(h, best)) {
			best, ok = h, true
		}
	}
	return best.offset, ok
}

// The policies: best fit, worst fit, and first fit. Of equal holes they take the
// first.
func smaller(a, b extent) bool { return a.size < b.size }
func larger(a, b extent) bool  { return a.size > b.size }
func earlier(a, b extent) bool { return a.offset < b.offset }

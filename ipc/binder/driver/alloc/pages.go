package alloc

import (
	"math/bits"

	"ipcbench/ipc/binder/driver/arena"
)

const (
	maxPages       = MaxSize / PageSize
	pageWords      = maxPages / 64
	pagesJournaled = 16 + 8*pageWords
)

// pages says which pages of a region have storage. When each was last let go
// of is only a hint for the shrinker, and outside the journal.
type pages struct {
	arena.Header
	present [pageWords]uint64

	clock uint32
	freed [maxPages]uint32 // the clock when a buffer on the page was freed
	peak  uint32
}

func (p *pages) has(i uint32) bool { return p.present[i/64]>>(i%64)&1 != 0 }

// span is the range of pages [first, end) that a buffer lies on.
func (b *Buffer) span() (first, end uint32) {
	return b.Offset / PageSize, (b.Offset + b.Size + PageSize - 1) / PageSize
}

// Missing is the byte range of the region, in whole pages, that must get
// storage before the buffer may be written to; length 0 if it has all. It is asked
// outside the lock: senders to neighbouring buffers may give the same pages storage
// meanwhile, and looking twice at one may have two answers.
//
//go:norace
func Missing(a *arena.Arena, space arena.Ref[Space], r arena.Ref[Buffer]) (offset, length int64) {
	p := space.In(a).pages.In(a)
	first, end := r.In(a).span()
	for first < end && p.has(first) {
		first++
	}
	for first < end && p.has(end-1) {
		end--
	}
	if first == end {
		return 0, 0
	}
	return int64(first) * PageSize, int64(end-first) * PageSize
}

// Populated notes that all pages of the buffer have storage.
func Populated(tx *arena.Tx, space arena.Ref[Space], r arena.Ref[Buffer]) {
	a := tx.Arena()
	p := space.In(a).pages.Edit(tx)
	first, end := r.In(a).span()
	for i := first; i < end; i++ {
		p.present[i/64] |= 1 << (i % 64)
	}
	p.peak = max(p.peak, end)
}

// touch notes when the pages of a freed buffer were last in use.
func touch(a *arena.Arena, s *Space, b *Buffer) {
	p := s.pages.In(a)
	p.clock++
	first, end := b.span()
	for i := first; i < end; i++ {
		p.freed[i] = p.clock
	}
}

// Pages counts the pages of a region.
type Pages struct {
	Active int // under allocated buffers
	LRU    int // with storage, but under no buffer
	Free   int // without storage
	Peak   int // the highest page that ever had storage, plus 1
}

// CountPages counts the pages of a region.
func CountPages(a *arena.Arena, space arena.Ref[Space]) Pages {
	s := space.In(a)
	p := s.pages.In(a)
	inUse := used(a, s)
	n := Pages{Peak: int(p.peak)}
	for i, w := range p.present {
		n.Active += bits.OnesCount64(w & inUse[i])
		n.LRU += bits.OnesCount64(w &^ inUse[i])
	}
	n.Free = int((s.Size+PageSize-1)/PageSize) - n.Active - n.LRU
	return n
}

// used is the set of pages under allocated buffers.
func used(a *arena.Arena, s *Space) (set [pageWords]uint64) {
	for r := s.next(a, 0); r != 0; r = s.next(a, r.In(a).Offset+1) {
		first, end := r.In(a).span()
		for i := first; i < end; i++ {
			set[i/64] |= 1 << (i % 64)
		}
	}
	return set
}

// Shrink chooses up to n pages that have storage but no buffer, those let go
// of longest ago first, notes that they have none any more, and calls punch
// for each with its offset in bytes after the note is committed: a process
// that is killed in between has given up a little memory too little.
func Shrink(tx *arena.Tx, space arena.Ref[Space], n int, punch func(offset int64)) int {
	a := tx.Arena()
	done := 0
	for ; done < n; done++ {
		s := space.In(a)
		i, ok := oldest(s.pages.In(a), used(a, s))
		if !ok {
			break
		}
		s.pages.Edit(tx).present[i/64] &^= 1 << (i % 64)
		tx.Commit()
		punch(int64(i) * PageSize)
	}
	return done
}

// oldest is the page of the LRU list that was let go of longest ago.
func oldest(p *pages, inUse [pageWords]uint64) (page uint32, ok bool) {
	for w, present := range p.present {
		for lru := present &^ inUse[w]; lru != 0; lru &= lru - 1 {
			i := uint32(w*64 + bits.TrailingZeros64(lru))
			if !ok || p.clock-p.freed[i] > p.clock-p.freed[page] {
				page, ok = i, true
			}
		}
	}
	return page, ok
}

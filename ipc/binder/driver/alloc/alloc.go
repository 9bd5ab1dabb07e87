// Package alloc divides a process's receive region into buffers. It mirrors
// the kernel's drivers/android/binder_alloc.c: best fit over free blocks,
// splitting the low end of a block and merging neighbours on free, sizes in
// multiples of 8, half of the region as the budget of oneway transactions, and
// pages that get storage when a buffer first needs them and keep it, on an LRU
// list, until a shrinker takes it away.
//
// One thing is kept apart from the free tree: the block that was freed last
// stays where it was among the allocated ones. A request of the same size takes
// it back as it is, which makes a steady exchange touch no tree and stay on the
// same addresses.
//
// The package knows the layout of a region, not its memory; whoever holds the
// memory gives storage to what Missing names and takes it from what Shrink
// names. All functions run in a transaction of the driver lock.
package alloc

import (
	"errors"

	"ipcbench/ipc/binder/driver/arena"
)

// Errors of Alloc.
var (
	// ErrNoSpace says that no free block, or no asynchronous budget, is large
	// enough.
	ErrNoSpace = errors.New("binder alloc: no space")
	// ErrTooLarge says that the sizes of a request overflow.
	ErrTooLarge = errors.New("binder alloc: sizes overflow")
)

const (
	// MaxSize is the most that is used of a region, in bytes.
	MaxSize = 4 << 20
	// PageSize is the unit in which storage is given and taken.
	PageSize = 4096

	alignment = 8
)

// Kinds of record of this package.
const (
	bufferKind = arena.FirstKind + iota
	spaceKind
	pagesKind
	// FirstKind is the first number that is free for the driver's kinds.
	FirstKind
)

// Space is the state of one region.
type Space struct {
	arena.Header
	Size      uint32 // bytes
	AsyncFree uint32 // bytes of the budget for oneway transactions that are left

	all       arena.Ends[Buffer] // by address
	free      arena.Ref[Buffer]  // tree by size, then address
	allocated arena.Ref[Buffer]  // tree by address
	last      arena.Ref[Buffer]  // free, but still in allocated
	newest    arena.Ref[Buffer]  // allocated last, if it was not freed
	pages     arena.Ref[pages]
	Buffers   uint32 // allocated ones
	spam      bool   // a suspect was named and the budget has not recovered
}

// Buffer is a block of a region, free or allocated.
type Buffer struct {
	bufferState
	ID   uint32 // for diagnostics
	PID  int32  // of the sender, if Async
	Spam bool   // its sender is suspected of spamming; valid if Async
}

// bufferState is the part of a buffer that the journal saves: one line.
type bufferState struct {
	arena.Header
	Offset uint32 // of the block in the region, bytes
	Size   uint32 // of the block, bytes

	Data, Offsets uint32 // what was asked for, bytes

	Async       bool // charged to the asynchronous budget
	Busy        bool // the driver is writing to it: the receiver may not free it
	ClearOnFree bool // to be zeroed when it is freed
	isFree      bool

	Objects     uint32 // translated ones, whose references the buffer holds
	Transaction uint32 // the driver's reference
	Node        uint32 // the driver's reference

	branch arena.Branch[Buffer] // in free or allocated
	link   arena.Link[Buffer]   // in all
}

// Extra is the room behind data and offsets, in bytes.
func (b *Buffer) Extra() uint32 {
	if b.Data == 0 && b.Offsets == 0 && b.Size == alignment {
		return 0 // what an empty buffer takes
	}
	return b.Size - align(b.Data) - align(b.Offsets)
}

func align[T uint32 | uint64](n T) T { return (n + alignment - 1) &^ (alignment - 1) }

// The kinds of record, for arena.Format.
var (
	spaces   = arena.NewKind[Space](spaceKind, "space", 0)
	buffers  = arena.NewKind[Buffer](bufferKind, "buffer", arena.SizeOf[bufferState]())
	pageMaps = arena.NewKind[pages](pagesKind, "pages", pagesJournaled)

	Kinds = []arena.AnyKind{spaces, buffers, pageMaps}
)

var (
	bySize = arena.Tree[Buffer]{
		Key:    func(b *Buffer) uint64 { return uint64(b.Size)<<32 | uint64(b.Offset) },
		Branch: func(b *Buffer) *arena.Branch[Buffer] { return &b.branch },
	}
	byOffset = arena.Tree[Buffer]{
		Key:    func(b *Buffer) uint64 { return uint64(b.Offset) },
		Branch: func(b *Buffer) *arena.Branch[Buffer] { return &b.branch },
	}
	byAddress = arena.List[Buffer]{
		Link: func(b *Buffer) *arena.Link[Buffer] { return &b.link },
	}
)

// Live is the number of buffer records in use, free blocks included, for
// finding leaks.
func Live(a *arena.Arena) int { return buffers.Live(a) }

// New makes a region of size bytes, of which at most MaxSize are used, one
// free block.
func New(tx *arena.Tx, size uint64) (arena.Ref[Space], error) {
	r, err := spaces.New(tx)
	if err != nil {
		return 0, err
	}
	b, err := buffers.New(tx)
	if err != nil {
		return 0, err
	}
	p, err := pageMaps.New(tx)
	if err != nil {
		return 0, err
	}
	s := r.Edit(tx)
	s.Size = uint32(min(size, MaxSize)) &^ (alignment - 1)
	s.AsyncFree = s.Size / 2
	s.pages = p
	block := b.Edit(tx)
	block.Size, block.isFree = s.Size, true
	byAddress.PushBack(tx, &s.all, b)
	bySize.Insert(tx, &s.free, b)
	return r, nil
}

// Request is what a transaction needs of a region. Sizes are in bytes.
type Request struct {
	Data, Offsets, Extra uint64
	Async                bool
	PID                  int32
}

// size is the size of the block for a request: each part is a multiple of 8,
// and even an empty buffer has an address of its own.
func (q *Request) size() (uint32, bool) {
	if (q.Data|q.Offsets|q.Extra)>>40 != 0 {
		return 0, false
	}
	total := align(q.Data) + align(q.Offsets) + align(q.Extra)
	return uint32(min(max(total, alignment), 1<<32-alignment)), true
}

// Alloc takes a buffer from the region. The error is ErrNoSpace, ErrTooLarge,
// or the arena's ErrFull.
func Alloc(tx *arena.Tx, space arena.Ref[Space], q *Request, id uint32) (arena.Ref[Buffer], error) {
	size, ok := q.size()
	if !ok {
		return 0, ErrTooLarge
	}
	s := space.Edit(tx)
	if q.Async && s.AsyncFree < size {
		return 0, ErrNoSpace
	}
	r := s.last
	if r != 0 && r.In(tx.Arena()).Size == size {
		s.last = 0
	} else {
		settle(tx, s)
		var err error
		if r, err = carve(tx, s, size); err != nil {
			return 0, err
		}
		byOffset.Insert(tx, &s.allocated, r)
	}
	b := r.Edit(tx)
	b.isFree = false
	b.ID, b.Data, b.Offsets = id, uint32(q.Data), uint32(q.Offsets)
	b.Async, b.Busy, b.ClearOnFree = q.Async, false, false
	b.Transaction, b.Node, b.Objects = 0, 0, 0
	s.Buffers++
	s.newest = r
	if q.Async {
		s.AsyncFree -= b.Size
		b.PID = q.PID
		b.Spam = suspect(tx.Arena(), s, q.PID)
	}
	return r, nil
}

// carve takes the smallest block that is large enough from the free ones, and
// splits its low end off.
func carve(tx *arena.Tx, s *Space, size uint32) (arena.Ref[Buffer], error) {
	r := bySize.Ceiling(tx.Arena(), s.free, uint64(size)<<32)
	if r == 0 {
		return 0, ErrNoSpace
	}
	if r.In(tx.Arena()).Size == size {
		bySize.Remove(tx, &s.free, r)
		return r, nil
	}
	rest, err := buffers.New(tx)
	if err != nil {
		return 0, err
	}
	bySize.Remove(tx, &s.free, r)
	b, p := r.Edit(tx), rest.Edit(tx)
	p.Offset, p.Size, p.isFree = b.Offset+size, b.Size-size, true
	b.Size = size
	byAddress.Insert(tx, &s.all, r, rest)
	bySize.Insert(tx, &s.free, rest)
	return r, nil
}

// Free gives a buffer back.
func Free(tx *arena.Tx, space arena.Ref[Space], r arena.Ref[Buffer]) {
	s := space.Edit(tx)
	settle(tx, s)
	b := r.Edit(tx)
	if b.Async {
		s.AsyncFree += b.Size
	}
	s.Buffers--
	b.isFree = true
	b.Transaction, b.Node = 0, 0
	s.last = r
	if s.newest == r {
		s.newest = 0
	}
	touch(tx.Arena(), s, b)
}

// settle puts the block that was freed last among the other free ones, merged
// with its neighbours.
func settle(tx *arena.Tx, s *Space) {
	r := s.last
	if r == 0 {
		return
	}
	s.last = 0
	byOffset.Remove(tx, &s.allocated, r)
	a := tx.Arena()
	if next := r.In(a).link.Next; next != 0 && next.In(a).isFree {
		bySize.Remove(tx, &s.free, next)
		absorb(tx, s, r, next)
	}
	if prev := r.In(a).link.Prev; prev != 0 && prev.In(a).isFree {
		bySize.Remove(tx, &s.free, prev)
		absorb(tx, s, prev, r)
		r = prev
	}
	bySize.Insert(tx, &s.free, r)
}

// absorb makes one block of two neighbours.
func absorb(tx *arena.Tx, s *Space, low, high arena.Ref[Buffer]) {
	low.Edit(tx).Size += high.In(tx.Arena()).Size
	byAddress.Remove(tx, &s.all, high)
	buffers.Free(tx, high)
}

// Find is the allocated buffer that starts at offset bytes, 0 if there is
// none.
func Find(a *arena.Arena, space arena.Ref[Space], offset uint32) arena.Ref[Buffer] {
	s := space.In(a)
	if r := s.newest; r != 0 && r.In(a).Offset == offset {
		return r
	}
	if r := byOffset.Find(a, s.allocated, uint64(offset)); r != s.last {
		return r
	}
	return 0
}

// Next is the first allocated buffer that starts at offset bytes or behind, 0
// if there is none.
func Next(a *arena.Arena, space arena.Ref[Space], offset uint32) arena.Ref[Buffer] {
	return space.In(a).next(a, offset)
}

func (s *Space) next(a *arena.Arena, offset uint32) arena.Ref[Buffer] {
	r := byOffset.Ceiling(a, s.allocated, uint64(offset))
	if r != 0 && r == s.last {
		r = byOffset.Next(a, s.allocated, r)
	}
	return r
}

// Destroy gives all records of a region back, whose buffers were all freed.
func Destroy(tx *arena.Tx, space arena.Ref[Space]) {
	s := space.Edit(tx)
	settle(tx, s)
	for s.all.First != 0 {
		r := s.all.First
		byAddress.Remove(tx, &s.all, r)
		buffers.Free(tx, r)
	}
	pageMaps.Free(tx, s.pages)
	spaces.Free(tx, space)
}

// Limits of what is normal for oneway transactions, as the kernel sets them.
const (
	lowAsyncShare   = 10 // a tenth of the region left is little
	spamBuffers     = 50
	spamRegionShare = 4 // a quarter of the region
)

// suspect says whether the sender of the buffer just allocated is to be told
// that it spams: once, until the budget has recovered.
func suspect(a *arena.Arena, s *Space, pid int32) bool {
	if s.AsyncFree >= s.Size/lowAsyncShare {
		s.spam = false
		return false
	}
	if s.spam {
		return false
	}
	count, total := 0, uint32(0)
	for r := s.next(a, 0); r != 0; r = s.next(a, r.In(a).Offset+1) {
		if b := r.In(a); b.Async && b.PID == pid {
			count++
			total += b.Size
		}
	}
	s.spam = count > spamBuffers || total > s.Size/spamRegionShare
	return s.spam
}

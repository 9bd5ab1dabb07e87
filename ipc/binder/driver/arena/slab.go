package arena

import (
	"fmt"
	"hash/fnv"
)

// Header begins every record.
type Header struct {
	tag   uint32 // kind and whether the record is live
	next  uint32 // the next free record of the kind, while this one is free
	stamp uint64 // the transaction that last saved an image of the record
}

const (
	tagFree = 0xfeed_0000
	tagLive = 0x11fe_0000
	tagMask = 0xffff_0000

	maxKinds   = 24
	kindBits   = 5
	kindMask   = 1<<kindBits - 1
	headerSize = 16
	// imageUnit is the unit of what a transaction saves of a record.
	imageUnit = 16
)

// liveTag marks a live record and says of which kind it is and how much of it
// is journaled.
func (k kindInfo) liveTag() uint32 {
	return tagLive | k.journaled/imageUnit<<kindBits | uint32(k.id)
}

// journaledBy is the part of the record with the tag that is journaled, in
// bytes from its start.
func journaledBy(tag uint32) uint32 { return (tag &^ tagMask) >> kindBits * imageUnit }

// Kinds that the arena itself has. Others number theirs from FirstKind.
const (
	directoryKind = iota
	slotKind
	journalKind
	idsKind
	slabKind
	restKind // what is saved apart of a record of whatever kind
	// FirstKind is the first number that is free for a user's kinds.
	FirstKind = 8
)

// Kind describes one kind of record.
type Kind[T any] struct {
	info kindInfo
}

// AnyKind is a Kind of whatever type.
type AnyKind interface{ describe() kindInfo }

type kindInfo struct {
	id        uint8
	name      string
	size      uint32 // bytes
	journaled uint32 // bytes from the start that a transaction saves
	rest      uint32 // bytes behind them that it saves apart
}

// NewKind describes the records of type T, which must begin with a Header and
// hold no pointers. Numbers are below 24 and unlike. Only the first journaled
// bytes of a record are saved by transactions, a multiple of 16, all if it is 0:
// what lies behind needs no undoing, or is changed by its owner without the
// lock, such as statistics.
func NewKind[T any](id uint8, name string, journaled int) Kind[T] {
	size := sizeOf[T]()
	if journaled == 0 {
		journaled = int(size+imageUnit-1) &^ (imageUnit - 1)
	}
	if journaled%imageUnit != 0 {
		panic(fmt.Sprintf("binder arena: kind %s has %d bytes to journal, no multiple of %d", name, journaled, imageUnit))
	}
	return Kind[T]{kindInfo{id: id, name: name, size: size, journaled: uint32(journaled)}}
}

// Rest has transactions save size bytes more, a multiple of 16, but apart from the
// first: they begin on a line of their own and with a Header of their own, whose Edit
// saves them. It is for what few transactions change, so that the others do not save it.
func (k Kind[T]) Rest(size int) Kind[T] {
	if size%imageUnit != 0 || k.info.journaled%LineSize != 0 || k.info.journaled+uint32(size) > k.info.size {
		panic(fmt.Sprintf("binder arena: kind %s cannot save %d bytes apart behind %d", k.info.name, size, k.info.journaled))
	}
	k.info.rest = uint32(size)
	return k
}

func (k Kind[T]) describe() kindInfo { return k.info }

// restOf is the header of what is saved apart of the record at a line, nil if nothing is.
func (k kindInfo) restOf(a *Arena, line uint32) *Header {
	if k.rest == 0 {
		return nil
	}
	return a.headerAt(line + k.journaled/LineSize)
}

// editPart is a record whose rest, or first part if rest is nil, is for changing.
func editPart[T any](tx *Tx, r Ref[T], rest func(*T) *Header) *T {
	if rest == nil {
		return r.Edit(tx)
	}
	p := r.In(tx.arena)
	rest(p).Edit(tx)
	return p
}

// restTag marks what is saved apart of a live record.
func (k kindInfo) restTag() uint32 { return tagLive | k.rest/imageUnit<<kindBits | restKind }

func (k kindInfo) lines() uint32 { return (k.size + LineSize - 1) / LineSize }

// kindTable indexes the kinds by number.
func kindTable(kinds []AnyKind) []kindInfo {
	table := make([]kindInfo, maxKinds)
	for _, k := range append([]AnyKind{directoryKinds, slabKinds, slotKinds, journalKinds, idsKinds}, kinds...) {
		info := k.describe()
		if table[info.id].size != 0 {
			panic(fmt.Sprintf("binder arena: kinds %s and %s share a number", table[info.id].name, info.name))
		}
		table[info.id] = info
	}
	return table
}

// layoutHash changes when the records of two programs do not fit together.
func layoutHash(kinds []kindInfo) uint32 {
	h := fnv.New32a()
	for _, k := range kinds {
		fmt.Fprintln(h, k.id, k.name, k.size, k.journaled, k.rest)
	}
	return h.Sum32()
}

// directory is the one record that says what the arena's memory is used for.
// It lies behind the arena's header, and the slabs behind it.
type directory struct {
	Header
	nextChunk uint32    // first line that no slab has
	members   Ref[Slot] // the processes that joined
}

// slab says where free records of a kind are.
type slab struct {
	Header
	free uint32 // the first free record
	bump uint32 // the first line of the current chunk that was never used
	end  uint32 // the end of the current chunk
	live uint32 // records in use
	_    [LineSize - headerSize - 16]byte
}

var (
	directoryKinds = NewKind[directory](directoryKind, "directory", 0)
	slabKinds      = NewKind[slab](slabKind, "slab", headerSize+16)
)

func slabOf(kind uint8) Ref[slab] { return slabsLine + Ref[slab](kind) }

// New allocates a zeroed record. The error wraps ErrFull.
func (k Kind[T]) New(tx *Tx) (Ref[T], error) {
	a := tx.arena
	s := slabOf(k.info.id).Edit(tx)
	line := s.free
	if line != 0 {
		h := a.headerAt(line)
		if h.tag != tagFree|uint32(k.info.id) {
			panic(damagedRecord(line, k.info.name))
		}
		tx.saveHeader(line, h)
		s.free = h.next
	} else {
		if s.bump == s.end {
			if err := tx.addChunk(s, k.info); err != nil {
				return 0, err
			}
		}
		line = s.bump
		s.bump += k.info.lines()
		if s.end-s.bump < k.info.lines() {
			s.bump = s.end
		}
	}
	s.live++
	clear(a.bytesAt(line, int(k.info.size)))
	h := a.headerAt(line)
	h.tag, h.stamp = k.info.liveTag(), tx.seq
	if rest := k.info.restOf(a, line); rest != nil {
		rest.tag, rest.stamp = k.info.restTag(), tx.seq
	}
	return Ref[T](line), nil
}

// Renew makes a live record, which is put aside and whose contents do not
// matter, one that may be changed without saving an image: undoing leaves it put
// aside, with whatever contents.
func (h *Header) Renew(tx *Tx) {
	if h.tag&tagMask != tagLive {
		badRenewal()
	}
	h.stamp = tx.seq
}

//go:noinline
func badRenewal() { panic(fmt.Errorf("%w: a record that is put aside is not live", ErrDamaged)) }

// Free gives a record back. Its reference must not be used any more.
func (k Kind[T]) Free(tx *Tx, r Ref[T]) {
	a := tx.arena
	r.Edit(tx)
	h := a.headerAt(uint32(r))
	if h.tag != k.info.liveTag() {
		panic(damagedRecord(uint32(r), k.info.name))
	}
	if rest := k.info.restOf(a, uint32(r)); rest != nil {
		rest.Edit(tx)
		rest.tag = tagFree | restKind
	}
	s := slabOf(k.info.id).Edit(tx)
	h.tag, h.next = tagFree|uint32(k.info.id), s.free
	s.free = uint32(r)
	s.live--
}

// Live is the number of records of the kind that are in use.
func (k Kind[T]) Live(a *Arena) int {
	return int(slabOf(k.info.id).In(a).live)
}

// Is says whether the reference leads to a live record of the kind.
func (k Kind[T]) Is(a *Arena, r Ref[T]) bool {
	return uint32(r)-1 < a.lines-1 && a.headerAt(uint32(r)).tag == k.info.liveTag()
}

// addChunk gives the slab a chunk of memory that no kind has yet: as many
// chunks as one record needs, if it is larger than a chunk.
func (tx *Tx) addChunk(s *slab, k kindInfo) error {
	a := tx.arena
	top := directoryLine.Edit(tx)
	lines := max(uint32(chunkLines), (k.lines()+chunkLines-1)/chunkLines*chunkLines)
	first := top.nextChunk
	if uint64(first)+uint64(lines) > uint64(a.lines) {
		return fmt.Errorf("%w: all %d bytes are in use", ErrFull, uint64(a.lines)*LineSize)
	}
	if err := a.commit(uint64(first+lines) * LineSize); err != nil {
		return err
	}
	top.nextChunk = first + lines
	s.bump, s.end = first+k.colour(), first+lines
	return nil
}

// colour is how many lines into a chunk its first record lies. Chunks begin at
// the same place of every cache: with the first records of all kinds there, which
// are those in use, they would push each other out.
func (k kindInfo) colour() uint32 {
	if k.lines() > chunkLines/16 {
		return 0
	}
	return uint32(k.id) * 5 % 64
}

// commit sees to it that the first size bytes have storage. It is not part of
// the transaction: doing it again does no harm.
func (a *Arena) commit(size uint64) error {
	if size <= a.header.committed {
		return nil
	}
	size = min((size+growStep-1)/growStep*growStep, a.header.size)
	if err := a.host.Commit(int64(size)); err != nil {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	a.header.committed = size
	return nil
}

func damagedRef(line uint32) error {
	return fmt.Errorf("%w: reference to line %d", ErrDamaged, line)
}

func damagedRecord(line uint32, kind string) error {
	return fmt.Errorf("%w: line %d is no %s", ErrDamaged, line, kind)
}

// SizeOf is the size of a T in bytes, for kinds that journal only their first
// part.
func SizeOf[T any]() int { return int(sizeOf[T]()) }

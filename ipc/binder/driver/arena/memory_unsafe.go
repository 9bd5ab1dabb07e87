package arena

import "unsafe"

// address is where memory begins, for those who only hold it.
type address = unsafe.Pointer

// memory is the mapped memory of an arena.
type memory struct {
	base  address
	lines uint32
	last  uint32 // the last line
}

func newMemory(mem []byte) memory {
	lines := uint32(len(mem) / LineSize)
	return memory{base: unsafe.Pointer(unsafe.SliceData(mem)), lines: lines, last: lines - 1}
}

// Contains says whether an address lies in the memory.
func (m *memory) Contains(addr uintptr) bool {
	return addr-uintptr(m.base) < uintptr(m.lines)*LineSize
}

func (m *memory) fileHeader() *fileHeader { return (*fileHeader)(m.base) }

// Ref is a reference to a record of type T: the number of the line where it
// starts. The zero Ref refers to nothing.
type Ref[T any] uint32

// In is the record for reading. It panics with ErrDamaged if the reference
// leads out of the arena; a record's neighbours protect themselves by tags,
// which Edit checks. In and Edit are written so that they are inlined: the
// budget of the compiler for that is used up to the last point.
func (r Ref[T]) In(a *Arena) *T {
	if uint32(r)-1 >= a.last {
		badRef(uint32(r))
	}
	return (*T)(unsafe.Add(a.base, uintptr(r)*LineSize))
}

// Edit is the record for changing in the transaction, which has saved its old
// image. Line 0 is no record: what lies where its stamp would be is no number
// of a transaction.
func (r Ref[T]) Edit(tx *Tx) (p *T) {
	p = (*T)(unsafe.Add(tx.base, r*LineSize))
	if uint32(r) > tx.last || (*Header)(unsafe.Pointer(p)).stamp != tx.seq {
		tx.save(unsafe.Pointer(p))
	}
	return
}

// Edit is Ref's Edit for a record that is at hand.
func (h *Header) Edit(tx *Tx) {
	if h.stamp != tx.seq {
		tx.save(unsafe.Pointer(h))
	}
}

// save puts a record's image into the journal before its first change in a
// transaction. The tag says how long the image is: mostly one line.
//
//go:noinline
//go:nosplit
func (tx *Tx) save(p unsafe.Pointer) {
	h := (*Header)(p)
	line := uint32((uintptr(p) - uintptr(tx.base)) / LineSize)
	if line-1 >= tx.last {
		badRef(line)
		return
	}
	if h.tag&^kindMask != tagLive|LineSize/imageUnit<<kindBits || tx.used > journalSize-entrySize-LineSize {
		tx.saveLines(p, line)
		return
	}
	e := (*entry)(unsafe.Add(tx.images, tx.used))
	e.line, e.size = line, LineSize
	copyLine(unsafe.Add(unsafe.Pointer(e), entrySize), p)
	tx.saved(h, tx.used+entrySize+LineSize)
	tx.step(StepSaved)
}

// saveLines is save for an image of any length. Whole lines are copied, of which undo
// uses no more than the image.
func (tx *Tx) saveLines(p unsafe.Pointer, line uint32) {
	h := (*Header)(p)
	size := journaledBy(h.tag)
	end := tx.used + entrySize + (size+LineSize-1)&^(LineSize-1)
	if h.tag&tagMask != tagLive || end > journalSize {
		badRecord(line)
		return
	}
	e := (*entry)(unsafe.Add(tx.images, tx.used))
	e.line, e.size = line, size
	for at := uint32(0); at < size; at += LineSize {
		copyLine(unsafe.Add(unsafe.Pointer(e), entrySize+at), unsafe.Add(p, at))
	}
	tx.saved(h, end)
	tx.step(StepSaved)
}

// saveHeader saves only the header of a free record that is about to live.
func (tx *Tx) saveHeader(line uint32, h *Header) {
	if h.stamp == tx.seq {
		return
	}
	end := tx.used + entrySize + LineSize
	if end > journalSize {
		badRecord(line)
	}
	e := (*entry)(unsafe.Add(tx.images, tx.used))
	e.line, e.size = line, headerSize
	*(*Header)(unsafe.Add(unsafe.Pointer(e), entrySize)) = *h
	tx.saved(h, end)
	tx.step(StepSaved)
}

// saved makes the image count that ends at end. The count is stored last, so that a
// kill at any instruction leaves either a complete image that counts or a record
// that was not changed.
func (tx *Tx) saved(h *Header, end uint32) {
	tx.used = end
	tx.journal.count++
	h.stamp = tx.seq
}

//go:noinline
func badRef(line uint32) { panic(damagedRef(line)) }

//go:noinline
func badRecord(line uint32) { panic(damagedRecord(line, "live record that fits the journal")) }

// quarters are a line in the largest pieces that are copied without a call.
type quarters [4][LineSize / 4]byte

func copyLine(to, from unsafe.Pointer) {
	t, f := (*quarters)(to), (*quarters)(from)
	t[0] = f[0]
	t[1] = f[1]
	t[2] = f[2]
	t[3] = f[3]
}

// at is the address of a line. The last chunk cannot begin a record that
// reaches out of the memory, because chunks are filled from their start.
func (m *memory) at(line uint32) unsafe.Pointer {
	if line-1 >= m.last {
		badRef(line)
	}
	return unsafe.Add(m.base, uintptr(line)*LineSize)
}

// headerAt is the header of the record at a line.
func (a *Arena) headerAt(line uint32) *Header { return (*Header)(a.at(line)) }

// bytesAt is n bytes from the start of a line.
func (a *Arena) bytesAt(line uint32, n int) []byte {
	if uint64(line)*LineSize+uint64(n) > uint64(a.lines)*LineSize {
		panic(damagedRef(line))
	}
	return unsafe.Slice((*byte)(a.at(line)), n)
}

// sizeOf is the size of a T in bytes.
func sizeOf[T any]() uint32 {
	var t T
	return uint32(unsafe.Sizeof(t))
}

// imagesOf is where the images of a journal begin.
func imagesOf(j *journal) address { return unsafe.Pointer(&j.images) }

// entryAt is the journal entry at an offset of the journal's images.
func entryAt(images []byte, off uint32) *entry {
	return (*entry)(unsafe.Pointer(&images[off]))
}

// The first chunk holds the header, the directory, the slabs, and what a process needs to
// join: a slot and a journal that are lent to one process after the other.
const (
	directoryLine        = Ref[directory](unsafe.Sizeof(fileHeader{}) / LineSize)
	slabsLine            = Ref[slab](directoryLine + 1)
	bootstrapSlotLine    = Ref[Slot](slabsLine + maxKinds)
	bootstrapJournalLine = Ref[journal]((uintptr(bootstrapSlotLine)*LineSize + unsafe.Sizeof(Slot{}) + LineSize - 1) / LineSize)

	_ = uint(chunkSize - uintptr(bootstrapJournalLine)*LineSize - unsafe.Sizeof(journal{}))
)

package arena

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Audit is a hook for Options.Step, on memory that is or becomes an arena of these
// kinds: it tells which record a transaction has changed without saving its image
// first, which else only a process that dies in the right place would show. It looks at
// all of the memory each time: for tests.
func Audit(mem []byte, kinds []AnyKind, tell func(error)) func(Step) {
	a := attach(mem, kinds, Options{})
	before := make([]byte, 0, len(mem))
	return func(s Step) {
		if s == StepCommitted {
			if err := a.unsaved(before, mem); err != nil {
				tell(err)
			}
		}
		if s == StepCommitted || s == StepLocked {
			before = append(before[:0], mem[:a.header.committed]...)
		}
	}
}

// unsaved is the first record that was live before the transaction under way, and is
// another now, and not saved.
func (a *Arena) unsaved(before, now []byte) error {
	for line := 0; line < len(before)/LineSize; {
		at := line * LineSize
		tag := binary.NativeEndian.Uint32(before[at:])
		k, live, ok := a.kindOf(tag)
		if !ok {
			line++
			continue
		}
		if live && a.stealthy(before, now, line) {
			return fmt.Errorf("%w: the %s at line %d was changed, and not saved", ErrDamaged, k.name, line)
		}
		if rest := line + int(k.journaled/LineSize); live && k.rest != 0 && a.stealthy(before, now, rest) {
			return fmt.Errorf("%w: the rest of the %s at line %d was changed, and not saved", ErrDamaged, k.name, line)
		}
		line += int(k.lines())
	}
	return nil
}

// stealthy says whether the part of a live record that begins at a line was changed and
// not saved.
func (a *Arena) stealthy(before, now []byte, line int) bool {
	at := line * LineSize
	end := at + int(journaledBy(binary.NativeEndian.Uint32(before[at:])))
	return a.headerAt(uint32(line)).stamp != a.header.seq && !bytes.Equal(before[at:end], now[at:end])
}

// kindOf is the kind of record that a tag belongs to, and whether it is live.
func (a *Arena) kindOf(tag uint32) (k kindInfo, live, ok bool) {
	id := tag & kindMask
	if id >= maxKinds || a.kinds[id].size == 0 {
		return k, false, false
	}
	k = a.kinds[id]
	live = tag == k.liveTag()
	return k, live, live || tag == tagFree|id
}

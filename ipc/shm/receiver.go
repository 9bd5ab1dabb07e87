package shm

import (
	"encoding/binary"
	"fmt"

	"ipcbench/ipc"
)

// receiver is the receiving end of a lane. Everything it reads there may have
// been written, and may be changed at any time, by a hostile peer: each value
// is fetched once, and checked or masked before use.
type receiver struct {
	lane
	published, released signal

	position uint32 // of the next message
	told     uint32 // the sender was told up to here that this end is done
	holding  bool   // a message at position is being read
}

// message is what a receiver took from an entry.
type message struct {
	ipc.Header
	slot  int
	place uint64
	done  uint32
}

// next waits for a message, which is held until letGo.
func (r *receiver) next() (message, error) {
	r.tellInTime()
	seen, err := r.published.wait(r.position)
	if err != nil {
		return message{}, err
	}
	if n := (seen - r.position) / step; n > uint32(r.slots) {
		return message{}, fmt.Errorf("%w: %d messages in %d slots", ipc.ErrProtocol, n, r.slots)
	}
	slot := r.slotOf(r.position, binary.LittleEndian.Uint32(r.control[startAt:]))
	var entry [entrySize]byte
	copy(entry[:], r.entry(slot))
	h, err := ipc.ParseHeader(entry[:], r.limit)
	if err != nil {
		return message{}, err
	}
	r.holding = true
	return message{h, slot, binary.LittleEndian.Uint64(entry[placeAt:]),
		binary.LittleEndian.Uint32(r.control[doneAt:])}, nil
}

// letGo ends the reading of the message that is held.
func (r *receiver) letGo() {
	if r.holding {
		r.holding = false
		r.position += step
	}
}

// tellInTime tells the sender about progress when there is nothing else to do or
// half the ring has come together: telling touches a cache line that a
// waiting sender wants.
func (r *receiver) tellInTime() {
	if r.published.peek() == r.position || r.position-r.told >= uint32(r.slots/2)*step {
		r.tell()
	}
}

// tell raises released to where this end is done.
func (r *receiver) tell() {
	if r.told != r.position {
		r.told = r.position
		r.released.raise(r.position)
	}
}

package shm

import (
	"os"
	"sync/atomic"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

// A lane is one direction of a connection. Its control page holds, apart by two
// cache lines because processors fetch lines in pairs:
//
//	  0  released   u32  how far the receiver is done, and whether the sender sleeps
//	128  published  u32  how far the sender has got, and whether the receiver sleeps
//	132  start      u32  what published was when slot 0 was last begun with
//	136  done       u32  how far the sender is done with the other lane
//	140  pid        u32  the sender's process
//	160  entries         one a slot, 32 bytes: header 16, place u64
//
// Published, start, done and the entry of slot 0 share a cache line: a ping-pong,
// which always uses slot 0, moves that line and the payload, and no other.
const (
	releasedAt  = 0
	publishedAt = 128
	startAt     = publishedAt + 4
	doneAt      = publishedAt + 8
	pidAt       = publishedAt + 12
	entriesAt   = publishedAt + 32

	entrySize = 32
	placeAt   = ipc.HeaderSize // in an entry
)

// Positions count messages in steps of 2; the lowest bit of a word in which a
// position is published says that its reader sleeps. One exchange of the word
// thus publishes and learns whom to wake, and there is no second flag whose
// order would matter.
const (
	step     = 2
	sleeping = 1
)

// shape is how the payload memory of a lane is cut into slots.
type shape struct{ limit, stride, slots int }

const (
	maxSlots  = 64
	ringBytes = 256 << 10
	line      = 64
)

// shapeFor gives every payload a slot of its own: as many as ringBytes hold, so
// that a burst stays in a core's cache, but at least two, so that sender and
// receiver work at the same time. The number is a power of two. Payloads of a
// page or more start on one, as the buffers they come from do; a store then
// never aliases a later load in the low 12 bits of its address.
func shapeFor(limit int) shape {
	stride := max((limit+line-1)/line*line, line)
	if stride > os.Getpagesize()/2 {
		stride = pages(limit)
	}
	slots := maxSlots
	for slots > 2 && slots*stride > ringBytes {
		slots /= 2
	}
	return shape{limit, stride, slots}
}

func (s shape) bytes() int { return pages(s.slots * s.stride) }

// lane is an end's view of one direction.
type lane struct {
	shape
	control, data []byte
}

func (l lane) word(at int) *atomic.Uint32 { return sys.Word(l.control[at:]) }

func (l lane) entry(slot int) []byte {
	at := entriesAt + slot*entrySize
	return l.control[at : at+entrySize]
}

// slotOf is the slot of a position; the mask keeps it inside whatever the peer
// wrote.
func (l lane) slotOf(position, start uint32) int {
	return int((position-start)/step) & (l.slots - 1)
}

// slot is the payload memory of a slot, limit bytes.
func (l lane) slot(i int) []byte { return l.data[i*l.stride:][:l.limit] }

// layout cuts a segment into the lanes of requests and replies.
type layout struct {
	shapes  [2]shape
	room    [2]int // bytes of data a lane
	control int    // bytes of a control page
	used    int    // bytes that are sure to be touched
}

func newLayout(shapes [2]shape, room [2]int) layout {
	control := pages(entriesAt + maxSlots*entrySize)
	return layout{shapes, room, control, 2*control + room[0] + room[1]}
}

func (l layout) bytes() int { return 2*l.control + l.room[0] + l.room[1] }

func (l layout) lanes(mem []byte) (requests, replies lane) {
	data := 2 * l.control
	requests = lane{l.shapes[0], mem[:l.control], mem[data : data+l.room[0]]}
	replies = lane{l.shapes[1], mem[l.control:data], mem[data+l.room[0]:]}
	return requests, replies
}

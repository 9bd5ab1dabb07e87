package stream

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// readAhead is how far a read may go beyond the message it is for: room for
// many small messages of a burst. A read does not wait for it to fill.
const readAhead = 64 << 10

// inbox is the memory that a connection receives in. Reads may bring the
// beginning of a message that comes later; behind the point up to which they go
// ahead there is room for a whole message, so that such a message is completed
// where it begins and nothing is ever moved down.
type inbox struct {
	memory []byte
	// origin is where a message's header goes when the inbox is empty: its
	// payload then starts on a page.
	origin int
	// ahead is how far any read may go.
	ahead int
	// start and end bound what has been read and not taken.
	start, end int
	// boundary is where the next message begins whose header is not complete.
	boundary int
}

// newInbox maps an inbox for payloads of up to limit bytes. The part that calls
// use is present from the start; the part behind it is so after the first burst
// that reaches it.
func newInbox(limit int) (inbox, error) {
	page := os.Getpagesize()
	origin := page - HeaderSize
	ahead := origin + max(HeaderSize+limit, readAhead)
	memory, err := unix.Mmap(-1, 0, ahead+HeaderSize+limit, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return inbox{}, fmt.Errorf("map room to receive %d bytes in: %w", limit, err)
	}
	for i := 0; i < ahead; i += page {
		memory[i] = 1
	}
	b := inbox{memory: memory, origin: origin, ahead: ahead}
	b.reset()
	return b, nil
}

func (b *inbox) free() error { return unix.Munmap(b.memory) }

func (b *inbox) reset() { b.start, b.end, b.boundary = b.origin, b.origin, b.origin }

// unread is how many bytes have been read and not taken.
func (b *inbox) unread() int { return b.end - b.start }

// room is where the next read goes, when the first n unread bytes are waited
// for.
func (b *inbox) room(n int) []byte { return b.memory[b.end:max(b.ahead, b.start+n)] }

// took accepts n bytes that were read into room, and tells how many of them
// belong to headers; the others are payload.
func (b *inbox) took(n int) (header int) {
	from := b.end
	b.end += n
	for b.boundary < b.end {
		headerEnd := b.boundary + HeaderSize
		header += min(headerEnd, b.end) - max(b.boundary, from)
		if headerEnd > b.end {
			break
		}
		b.boundary = headerEnd + int(binary.LittleEndian.Uint32(b.memory[b.boundary:]))
	}
	return header
}

// take removes the first n unread bytes, which stay where they are until the
// next read.
func (b *inbox) take(n int) []byte {
	taken := b.memory[b.start : b.start+n]
	b.start += n
	return taken
}

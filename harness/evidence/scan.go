package evidence

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/prometheus/procfs"
)

// minPayload is the shortest payload that does not occur by chance, and
// maxWindow how much of a longer one is searched for at a time, in bytes: short
// enough to lie inside one fragment of a message, longer than what the vector
// registers hold in a row.
const (
	minPayload = 32
	maxWindow  = 512
)

// ErrTooShort says that a payload is too short to be told from chance.
var ErrTooShort = fmt.Errorf("a payload of less than %d bytes cannot be searched for", minPayload)

// Place is where one copy of a payload, or a piece of one, lies.
type Place struct {
	// Device and Inode of the object that is mapped; both 0 for memory
	// that is private to a process.
	Device uint64 `json:"device,omitempty"`
	Inode  uint64 `json:"inode,omitempty"`
	// Offset, in the object, or address, in private memory, where the
	// payload begins or would begin.
	Offset int64 `json:"offset"`
	// Views are the mappings through which it was seen.
	Views []View `json:"views"`

	windows uint
}

// View is a mapping of one process.
type View struct {
	PID int `json:"pid"`
	// Mapping is its name in /proc/PID/maps, "" for anonymous memory.
	Mapping string `json:"mapping,omitempty"`
}

// Scan searches the memory of other processes, which should be at rest, for
// copies of a payload. The processes must not hold the payload for other
// reasons: send them what it is made from, not itself. Mappings of the same
// bytes of one object are one place. The error wraps fs.ErrPermission where
// reading their memory is not permitted.
func Scan(pids []int, payload []byte) ([]Place, error) {
	if len(payload) < minPayload {
		return nil, ErrTooShort
	}
	s := scanner{windows: windows(payload), found: make(map[position]*Place)}
	for _, pid := range pids {
		if pid == os.Getpid() {
			return nil, errors.New("a process cannot search itself: it holds the payload")
		}
		if err := s.process(pid); err != nil {
			return nil, err
		}
	}
	return s.places(), nil
}

// window is a part of the payload that is searched for.
type window struct {
	offset  int
	content []byte
}

// windows are spread over the payload, since a copy may be in fragments, or
// partly overwritten.
func windows(payload []byte) []window {
	size := min(len(payload), maxWindow)
	last := len(payload) - size
	var all []window
	for _, at := range slices.Compact([]int{0, last / 4, last / 2, last / 4 * 3, last}) {
		all = append(all, window{at, payload[at : at+size]})
	}
	return all
}

// Copies is the number of copies that places are: where they lie in fragments,
// or partly overwritten, the most that any part of the payload has.
func Copies(places []Place) int {
	most := 0
	for bit := uint(1); bit <= windowsMask(places); bit <<= 1 {
		n := 0
		for _, p := range places {
			if p.windows&bit != 0 {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func windowsMask(places []Place) (mask uint) {
	for _, p := range places {
		mask |= p.windows
	}
	return mask
}

// position tells places apart: private memory has a process, shared memory an
// object.
type position struct {
	pid           int
	device, inode uint64
	offset        int64
}

type scanner struct {
	windows []window
	found   map[position]*Place
}

func (s *scanner) process(pid int) error {
	m, err := openMemory(pid)
	if err != nil {
		return err
	}
	defer m.close()
	for _, mapping := range m.maps {
		if !searchable(mapping) {
			continue
		}
		err := m.each(mapping, len(s.windows[0].content)-1, func(address uint64, content []byte) {
			s.search(pid, mapping, address, content)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) search(pid int, mapping *procfs.ProcMap, address uint64, content []byte) {
	for i, w := range s.windows {
		for at := 0; ; at++ {
			next := bytes.Index(content[at:], w.content)
			if next < 0 {
				break
			}
			at += next
			if inSignalFrame(content, at, len(w.content)) {
				continue
			}
			s.note(pid, mapping, int64(address)+int64(at-w.offset), 1<<i)
		}
	}
}

// note adds a sighting of a window, of a payload that begins at an address.
func (s *scanner) note(pid int, mapping *procfs.ProcMap, begin int64, window uint) {
	at := position{pid: pid, offset: begin}
	if mapping.Perms.Shared && mapping.Inode != 0 {
		at = position{device: mapping.Dev, inode: mapping.Inode,
			offset: mapping.Offset + begin - int64(mapping.StartAddr)}
	}
	place := s.found[at]
	if place == nil {
		place = &Place{Device: at.device, Inode: at.inode, Offset: at.offset}
		s.found[at] = place
	}
	place.windows |= window
	if view := (View{pid, mapping.Pathname}); !slices.Contains(place.Views, view) {
		place.Views = append(place.Views, view)
	}
}

// places are those found, in the order of the first process that sees them.
func (s *scanner) places() []Place {
	var all []Place
	for _, p := range s.found {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(a, b Place) int {
		return cmp.Or(a.Views[0].PID-b.Views[0].PID, int(a.Inode)-int(b.Inode), int(a.Offset-b.Offset))
	})
	return all
}

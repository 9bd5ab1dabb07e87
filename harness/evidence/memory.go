package evidence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/prometheus/procfs"
)

// memory is the memory of another process that has pages behind it.
type memory struct {
	pid      int
	maps     []*procfs.ProcMap
	content  *os.File
	pages    *os.File
	pageSize uint64
}

func openMemory(pid int) (*memory, error) {
	process, err := procfs.NewProc(pid)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	maps, err := process.ProcMaps()
	if err != nil {
		return nil, fmt.Errorf("mappings of process %d: %w", pid, err)
	}
	content, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, err
	}
	pages, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))
	if err != nil {
		return nil, errors.Join(err, content.Close())
	}
	return &memory{pid: pid, maps: maps, content: content, pages: pages,
		pageSize: uint64(os.Getpagesize())}, nil
}

func (m *memory) close() { errors.Join(m.content.Close(), m.pages.Close()) }

// maxMapping bounds the mappings that are looked at: far above any buffer, and
// below the shadow memory of sanitizers.
const maxMapping = 1 << 34

// searchable reports a mapping that ordinary reads can see: not one of the
// kernel's own ([vdso], [vvar], [vsyscall]).
func searchable(m *procfs.ProcMap) bool {
	return m.Perms.Read && !strings.HasPrefix(m.Pathname, "[v") && m.EndAddr-m.StartAddr <= maxMapping
}

// stretch is how much memory is read at a time, in bytes.
const stretch = 1 << 20

// each calls f with the content of a mapping that has pages behind it, at
// rising addresses. Consecutive pieces repeat the last overlap bytes before
// them, so that no short string is cut in two. The bytes live until f returns.
func (m *memory) each(mapping *procfs.ProcMap, overlap int, f func(address uint64, content []byte)) error {
	buffer := make([]byte, overlap+stretch)
	end := uint64(mapping.EndAddr)
	carried := 0
	for at := uint64(mapping.StartAddr); at < end; {
		size, present, err := m.run(at, min(end-at, stretch))
		if err != nil {
			return err
		}
		next := 0
		if present && m.read(buffer[carried:carried+int(size)], at) {
			piece := buffer[:carried+int(size)]
			f(at-uint64(carried), piece)
			next = copy(buffer, piece[max(0, len(piece)-overlap):])
		}
		carried, at = next, at+size
	}
	return nil
}

// read reports false for pages that cannot be read, such as a device's.
func (m *memory) read(p []byte, at uint64) bool {
	_, err := m.content.ReadAt(p, int64(at))
	return err == nil
}

// Bits of an entry of /proc/PID/pagemap.
const (
	pagePresent = 1 << 63
	pageSwapped = 1 << 62
)

// run is the length of the memory at an address, up to limit bytes, that is
// throughout present (in memory or swapped out) or throughout not.
func (m *memory) run(at, limit uint64) (size uint64, present bool, err error) {
	entries := make([]byte, limit/m.pageSize*8)
	n, err := m.pages.ReadAt(entries, int64(at/m.pageSize*8))
	if err != nil && n < 8 {
		return 0, false, fmt.Errorf("pagemap of process %d: %w", m.pid, err)
	}
	isPresent := func(entry []byte) bool {
		return binary.NativeEndian.Uint64(entry)&(pagePresent|pageSwapped) != 0
	}
	present = isPresent(entries)
	for i := 0; i+8 <= n && isPresent(entries[i:]) == present; i += 8 {
		size += m.pageSize
	}
	return size, present, nil
}

package claims

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/prometheus/procfs"
)

// mapping is a piece of a process's address space, as /proc/PID/maps has it.
type mapping struct {
	PID        int
	Start, End uint64
	Writable   bool
	// Dev, Inode and Offset say which memory it shows; Inode is 0 for memory of the
	// process's own, and for what a device maps, where it would say nothing.
	Dev, Inode uint64
	Offset     int64
	Path       string
}

// mappingsOf are the mappings of a process.
func mappingsOf(pid int) (all []mapping, err error) {
	process, err := procfs.NewProc(pid)
	if err != nil {
		return nil, err
	}
	maps, err := process.ProcMaps()
	if err != nil {
		return nil, err
	}
	for _, m := range maps {
		one := mapping{PID: pid, Start: uint64(m.StartAddr), End: uint64(m.EndAddr), Writable: m.Perms.Write,
			Dev: m.Dev, Inode: m.Inode, Offset: m.Offset, Path: m.Pathname}
		if info, err := os.Stat(m.Pathname); m.Inode != 0 && err == nil && info.Mode()&os.ModeDevice != 0 {
			one.Inode = 0
		}
		all = append(all, one)
	}
	return all, nil
}

// mappingAt is the mapping of this process that an address is in.
func mappingAt(address uint64) (mapping, error) {
	all, err := mappingsOf(os.Getpid())
	for _, m := range all {
		if address >= m.Start && address < m.End {
			return m, err
		}
	}
	return mapping{}, errors.Join(err, fmt.Errorf("address %#x is not mapped", address))
}

// others are the mappings of the same memory as m that any process has which this
// one may look into, m itself left out.
func (m mapping) others() (all []mapping, err error) {
	if m.Inode == 0 {
		return nil, nil
	}
	processes, err := procfs.AllProcs()
	for _, p := range processes {
		theirs, err := mappingsOf(p.PID)
		if err != nil {
			continue // gone meanwhile, or not this user's
		}
		for _, o := range theirs {
			if o.Dev == m.Dev && o.Inode == m.Inode && (o.PID != m.PID || o.Start != m.Start) {
				all = append(all, o)
			}
		}
	}
	return all, err
}

// corresponding is where o shows the byte that m shows at address.
func (m mapping) corresponding(address uint64, o mapping) uint64 {
	return uint64(int64(address-m.Start)+m.Offset-o.Offset) + o.Start
}

// Bits of an entry of /proc/PID/pagemap.
const (
	framePresent = 1 << 63
	frameNumber  = 1<<55 - 1
)

// frame is the number of the physical page at an address of a process: 0 where
// none is present, or where the kernel does not tell this user.
func frame(pid int, address uint64) uint64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	var entry [8]byte
	if _, err := f.ReadAt(entry[:], int64(address/uint64(os.Getpagesize())*8)); err != nil {
		return 0
	}
	e := binary.NativeEndian.Uint64(entry[:])
	if e&framePresent == 0 {
		return 0
	}
	return e & frameNumber
}

// present says which pages of a mapping its process has in its page tables.
func present(m mapping) (pages []bool) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/pagemap", m.PID))
	if err != nil {
		return nil
	}
	defer f.Close()
	page := uint64(os.Getpagesize())
	entries := make([]byte, (m.End-m.Start)/page*8)
	n, _ := f.ReadAt(entries, int64(m.Start/page*8))
	for i := 0; i+8 <= n; i += 8 {
		pages = append(pages, binary.NativeEndian.Uint64(entries[i:])&framePresent != 0)
	}
	return pages
}

// peek reads memory of a process, and poke writes it, as a debugger does.
func peek(pid int, address uint64, b []byte) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.ReadAt(b, int64(address))
	return err
}

func poke(pid int, address uint64, b []byte) error {
	f, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteAt(b, int64(address))
	return err
}

package local

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

// Mapping is a device.Mapping of a region.
type Mapping struct {
	length   int
	unmapped func() // a part of it went
	put      func() // all of it went

	mu  sync.Mutex
	mem []byte // nil when all of it is unmapped
}

// NewMapping is the mapping of a region whose pages are mem, of which length bytes
// were asked for. It calls unmapped when any part of it is unmapped, and put when
// all of it is. A child that the process forks does not inherit the pages, as with
// the kernel's driver.
func NewMapping(mem []byte, length int, unmapped, put func()) *Mapping {
	_ = unix.Madvise(mem, unix.MADV_DONTFORK)
	return &Mapping{length: length, unmapped: unmapped, put: put, mem: mem}
}

// Addr is described by device.Mapping.
func (m *Mapping) Addr() uintptr { return uintptr(sys.Address(m.mem)) }

// Len is described by device.Mapping.
func (m *Mapping) Len() int { return m.length }

// Bytes is described by device.Mapping.
func (m *Mapping) Bytes() []byte { return m.mem }

// Protect is described by device.Mapping.
func (m *Mapping) Protect(prot int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mem == nil {
		return fmt.Errorf("binder mprotect: %w", unix.ENOMEM)
	}
	if err := unix.Mprotect(m.mem, prot); err != nil {
		return fmt.Errorf("binder mprotect: %w", err)
	}
	return nil
}

// Unmap is described by device.Mapping. A part of the mapping becomes
// inaccessible; the whole of it goes.
func (m *Mapping) Unmap(offset, length int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mem == nil || offset < 0 || length <= 0 || offset+length > len(m.mem) || offset%os.Getpagesize() != 0 {
		return fmt.Errorf("binder munmap: %w", unix.EINVAL)
	}
	m.unmapped()
	if offset > 0 || offset+length < m.length {
		return unix.Mprotect(m.mem[offset:offset+length], unix.PROT_NONE)
	}
	err := unix.Munmap(m.mem)
	m.mem = nil
	m.put()
	return err
}

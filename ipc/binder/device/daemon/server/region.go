package server

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/driver"
)

// region is the daemon's writable view of a receive region.
type region struct {
	mem  []byte
	file int
}

// seals keep a region's file as it is: nobody maps it writable after the daemon
// did, and nobody takes the pages away under it.
const seals = unix.F_SEAL_FUTURE_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL

func newRegion(length int) (*region, error) {
	fd, err := unix.MemfdCreate("binder-region", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	r := &region{file: fd}
	if err = unix.Ftruncate(fd, int64(length)); err == nil {
		r.mem, err = unix.Mmap(fd, 0, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("making a region: %w", err)
	}
	return r, nil
}

// readOnly is a descriptor of the file that cannot write it.
func (r *region) readOnly() (int, error) {
	return unix.Open(fmt.Sprintf("/proc/self/fd/%d", r.file), unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

func (r *region) close() {
	if r.mem != nil {
		_ = unix.Munmap(r.mem)
	}
	_ = unix.Close(r.file)
}

// regions are those of all processes.
type regions struct {
	mu   sync.RWMutex
	byID map[driver.ProcID]*region
}

func (rs *regions) add(id driver.ProcID, r *region) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.byID == nil {
		rs.byID = map[driver.ProcID]*region{}
	}
	rs.byID[id] = r
}

func (rs *regions) find(id driver.ProcID) (*region, error) {
	rs.mu.RLock()
	defer rs.mu.RUnlock()
	if r := rs.byID[id]; r != nil {
		return r, nil
	}
	return nil, unix.ESRCH
}

func (rs *regions) window(id driver.ProcID) ([]byte, error) {
	r, err := rs.find(id)
	if err != nil {
		return nil, err
	}
	return r.mem, nil
}

func (rs *regions) populate(id driver.ProcID, offset, length int64) error {
	r, err := rs.find(id)
	if err != nil {
		return err
	}
	return unix.Fallocate(r.file, 0, offset, length)
}

// forget lets go of a region. The driver calls it when no sender fills a buffer
// of it any more.
func (rs *regions) forget(id driver.ProcID) {
	rs.mu.Lock()
	r := rs.byID[id]
	delete(rs.byID, id)
	rs.mu.Unlock()
	if r != nil {
		r.close()
	}
}

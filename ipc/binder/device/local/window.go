package local

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/driver"
)

// Window is the driver's writable view of a region's file.
type Window struct {
	mem []byte

	mu   sync.Mutex
	file *os.File // nil when closed
}

// OpenWindow maps length bytes of a region's file, which it then owns.
func OpenWindow(file *os.File, length int) (*Window, error) {
	mem, err := unix.Mmap(int(file.Fd()), 0, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("mapping a region: %w", err)
	}
	return &Window{mem: mem, file: file}, nil
}

// Populate gives storage to a part of the region, in bytes.
func (w *Window) Populate(offset, length int64) error {
	return w.fallocate(0, offset, length)
}

func (w *Window) fallocate(mode uint32, offset, length int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return unix.ESRCH
	}
	return unix.Fallocate(int(w.file.Fd()), mode, offset, length)
}

// Punch takes the storage of a part of the region away.
func (w *Window) Punch(offset, length int64) {
	_ = w.fallocate(unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, length)
}

// close lets go of the file. The addresses stay taken: a thread may still be
// copying to a process that has just died.
func (w *Window) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = sys.Vacate(w.mem)
	_ = w.file.Close()
	w.file = nil
}

// Removed says whether the region's file is gone: its process is.
func (w *Window) Removed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return true
	}
	var st unix.Stat_t
	return unix.Fstat(int(w.file.Fd()), &st) != nil || st.Nlink == 0
}

// Windows are the windows that a process has open.
type Windows struct {
	mu   sync.RWMutex
	open map[driver.ProcID]*Window
}

// Get is the window of a process, which open opens if need be.
func (ws *Windows) Get(id driver.ProcID, open func() (*Window, error)) (*Window, error) {
	ws.mu.RLock()
	w := ws.open[id]
	ws.mu.RUnlock()
	if w != nil {
		return w, nil
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if w := ws.open[id]; w != nil {
		return w, nil
	}
	w, err := open()
	if err != nil {
		return nil, err
	}
	if ws.open == nil {
		ws.open = map[driver.ProcID]*Window{}
	}
	ws.open[id] = w
	return w, nil
}

// Bytes is the memory of the window.
func (w *Window) Bytes() []byte { return w.mem }

// Forget closes the window of a process that is gone.
func (ws *Windows) Forget(id driver.ProcID) {
	ws.mu.Lock()
	w := ws.open[id]
	delete(ws.open, id)
	ws.mu.Unlock()
	if w != nil {
		w.close()
	}
}

// ForgetIf closes the windows for which gone is true.
func (ws *Windows) ForgetIf(gone func(*Window) bool) {
	ws.mu.RLock()
	var ids []driver.ProcID
	for id, w := range ws.open {
		if gone(w) {
			ids = append(ids, id)
		}
	}
	ws.mu.RUnlock()
	for _, id := range ids {
		ws.Forget(id)
	}
}

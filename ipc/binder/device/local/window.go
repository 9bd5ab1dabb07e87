package local

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/driver"
)

// Window is the driver's writable view of a region's file.
type Window struct {
	file *os.File
	mem  []byte
}

// OpenWindow maps a region's file, which it then owns.
func OpenWindow(file *os.File) (*Window, error) {
	st, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, err
	}
	mem, err := unix.Mmap(int(file.Fd()), 0, int(st.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("mapping a region: %w", err)
	}
	return &Window{file, mem}, nil
}

// Populate gives storage to a part of the region, in bytes.
func (w *Window) Populate(offset, length int64) error {
	return unix.Fallocate(int(w.file.Fd()), 0, offset, length)
}

// Punch takes the storage of a part of the region away.
func (w *Window) Punch(offset, length int64) {
	_ = unix.Fallocate(int(w.file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, length)
}

func (w *Window) close() {
	_ = unix.Munmap(w.mem)
	w.file.Close()
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

// Each visits the processes whose windows are open.
func (ws *Windows) Each(visit func(driver.ProcID)) {
	ws.mu.RLock()
	ids := make([]driver.ProcID, 0, len(ws.open))
	for id := range ws.open {
		ids = append(ids, id)
	}
	ws.mu.RUnlock()
	for _, id := range ids {
		visit(id)
	}
}

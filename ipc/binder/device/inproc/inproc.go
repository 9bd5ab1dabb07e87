// Package inproc is the Binder device whose every process lives in this one:
// the Go driver over memory that nobody else sees. It is for unit tests, for
// fuzzing, and for measuring what the driver alone costs.
//
// Each open may say who it pretends to be, so that a test can play several
// processes. They share one table of file descriptors and one address space.
package inproc

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/local"
	"ipcbench/ipc/binder/driver"
	"ipcbench/ipc/binder/driver/arena"
)

// Identity is who an open claims to be.
type Identity = driver.Identity

// Options of a device; the zero Options are those of a plain one.
type Options struct {
	// ArenaSize is the most memory that the driver's records may take, in
	// bytes, in multiples of 64 KiB; 64 MiB if it is 0.
	ArenaSize int
	// Wait is how threads wait for work.
	Wait driver.Wait
	// Audit, if not nil, is told of each record that the driver changes without
	// saving it first (see arena.Audit). That is slow: for tests.
	Audit func(error)
}

const defaultArenaSize = 64 << 20

// Device is an in-process Binder device: one context.
type Device struct {
	driver *driver.Driver
	host   *host
	mem    []byte
	wait   driver.Wait
}

var _ device.Device = (*Device)(nil)

// New makes a device with a context of its own. Close frees its memory.
func New(o Options) (*Device, error) {
	size := o.ArenaSize
	if size == 0 {
		size = defaultArenaSize
	}
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("inproc binder: %w", err)
	}
	post, err := local.NewPost("")
	if err != nil {
		_ = unix.Munmap(mem)
		return nil, fmt.Errorf("inproc binder: %w", err)
	}
	h := &host{post: post, regions: map[driver.ProcID]*os.File{}}
	var step func(arena.Step)
	if o.Audit != nil {
		step = arena.Audit(mem, driver.Kinds, o.Audit)
	}
	d, err := driver.Create(mem, arena.Slot{PID: int32(os.Getpid()), UID: uint32(os.Getuid())}, h, step)
	if err != nil {
		_ = unix.Munmap(mem)
		return nil, fmt.Errorf("inproc binder: %w", err)
	}
	return &Device{driver: d, host: h, mem: mem, wait: o.Wait}, nil
}

// Name is "inproc".
func (d *Device) Name() string { return "inproc" }

// Driver is the driver behind the device.
func (d *Device) Driver() *driver.Driver { return d.driver }

// View is described by device.Viewer.
func (d *Device) View(name string) (string, error) { return local.View(d.driver, name) }

// Trace is described by device.Tracer.
func (d *Device) Trace(tell func(device.Step)) { local.Trace(d.driver, tell) }

// Open opens the device as this process.
func (d *Device) Open(flags int) (device.File, error) {
	return d.OpenAs(local.Self(), flags)
}

// OpenAs opens the device as somebody.
func (d *Device) OpenAs(id Identity, flags int) (device.File, error) {
	p, err := d.driver.Open(id, func(int32) driver.Task { return d.host })
	if err != nil {
		return nil, err
	}
	p.SetWait(d.wait)
	return local.NewFile(p, d.host, flags), nil
}

// Close frees the device's memory. All of its files and mappings must have
// been closed.
func (d *Device) Close() error {
	d.host.close()
	return unix.Munmap(d.mem)
}

// host is this process as the only one of its arena.
type host struct {
	local.Memory
	windows local.Windows
	post    *local.Post
	mu      sync.Mutex
	regions map[driver.ProcID]*os.File // without a window yet
}

func (h *host) Commit(int64) error                     { return nil }
func (h *host) Dead(arena.Slot) (dead bool, calls int) { return false, 0 }

func (h *host) Wake(w *atomic.Uint32, n int) (calls int) {
	sys.FutexWake(w, n)
	return 1
}
func (h *host) Wait(w *atomic.Uint32, v uint32, d time.Duration) bool { return local.Wait(w, v, d) }

// Create makes a memory file, of which the window takes a descriptor of its
// own.
func (h *host) Create(id driver.ProcID) (*os.File, error) {
	fd, err := unix.MemfdCreate("binder-region", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.regions[id] = os.NewFile(uintptr(dup), "binder-region")
	return os.NewFile(uintptr(fd), "binder-region"), nil
}

func (h *host) window(id driver.ProcID, length int) (*local.Window, error) {
	return h.windows.Get(id, func() (*local.Window, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		file := h.regions[id]
		if file == nil || length == 0 {
			return nil, unix.ESRCH
		}
		delete(h.regions, id)
		return local.OpenWindow(file, length)
	})
}

func (h *host) Window(id driver.ProcID, length int) ([]byte, error) {
	w, err := h.window(id, length)
	if err != nil {
		return nil, err
	}
	return w.Bytes(), nil
}

func (h *host) Forget(id driver.ProcID) {
	h.windows.Forget(id)
	h.mu.Lock()
	defer h.mu.Unlock()
	if file := h.regions[id]; file != nil {
		file.Close()
		delete(h.regions, id)
	}
}

func (h *host) Populate(id driver.ProcID, offset, length int64) error {
	w, err := h.window(id, 0)
	if err != nil {
		return err
	}
	return w.Populate(offset, length)
}

func (h *host) Punch(id driver.ProcID, offset, length int64) {
	if w, err := h.window(id, 0); err == nil {
		w.Punch(offset, length)
	}
}

func (h *host) SendFile(_ driver.Owner, key driver.FileKey, fd int32) error {
	return h.post.Send(h.post.Path(), key, fd)
}

func (h *host) TakeFile(key driver.FileKey) (int32, error)  { return h.post.Take(key) }
func (h *host) DropFile(_ driver.Owner, key driver.FileKey) { h.post.Drop(key) }
func (h *host) CloseFile(fd int32)                          { _ = unix.Close(int(fd)) }

func (h *host) close() {
	h.windows.ForgetIf(func(*local.Window) bool { return true })
	for _, file := range h.regions {
		file.Close()
	}
	h.post.Close()
}

package shared

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/device/local"
	"ipcbench/ipc/binder/driver"
	"ipcbench/ipc/binder/driver/arena"
)

// host is what the driver gets from this process.
type host struct {
	local.Memory
	dir     string
	mode    os.FileMode
	token   uint64
	raw     bool
	arena   *os.File
	post    *local.Post
	windows local.Windows
}

var _ driver.Host = (*host)(nil)

// Commit takes storage from the file system before it is needed: storing to a
// page that cannot have any would be SIGBUS.
func (h *host) Commit(size int64) error {
	return unix.Fallocate(int(h.arena.Fd()), 0, 0, size)
}

// Dead says whether a member is.
func (h *host) Dead(slot arena.Slot) (dead bool, calls int) {
	if slot.User == h.token {
		return false, 0
	}
	return memberDead(h.dir, slot), unlockedCalls
}

// memberDead looks whether the member's lock can be had. If somebody removed its
// file, the process itself is looked at, so that one that execs lives until it
// ends.
func memberDead(dir string, slot arena.Slot) bool {
	free, err := unlocked(memberPath(dir, slot.User))
	if err == unix.ENOENT {
		return startTime(int(slot.PID)) != slot.Start
	}
	return free
}

// Wait is interrupted by the Go scheduler's signals only, if it is raw and
// without end.
func (h *host) Wait(w *atomic.Uint32, v uint32, d time.Duration) bool {
	if h.raw {
		return sys.RawFutexWait(w, v, d) == unix.EINTR
	}
	return local.Wait(w, v, d)
}

func (h *host) Wake(w *atomic.Uint32, n int) (calls int) {
	sys.FutexWake(w, n)
	return 1
}

// Create makes the file of a region of this process.
func (h *host) Create(id driver.ProcID) (*os.File, error) {
	return create(regionPath(h.dir, id), h.mode)
}

func (h *host) window(id driver.ProcID, length int) (*local.Window, error) {
	return h.windows.Get(id, func() (*local.Window, error) {
		file, err := os.OpenFile(regionPath(h.dir, id), os.O_RDWR, 0)
		if err != nil {
			return nil, err
		}
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

// Forget removes the file, by which the other members know that their windows
// are of no use any more.
func (h *host) Forget(id driver.ProcID) {
	_ = os.Remove(regionPath(h.dir, id))
	h.windows.Forget(id)
}

func (h *host) Populate(id driver.ProcID, offset, length int64) error {
	w, err := h.window(id, 0)
	if err != nil {
		return err
	}
	return w.Populate(offset, length)
}

// Punch needs no window: a process has one of those regions that it sends to, and
// it is the owner of a region that shrinks it.
func (h *host) Punch(id driver.ProcID, offset, length int64) {
	file, err := os.OpenFile(regionPath(h.dir, id), os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer file.Close()
	_ = unix.Fallocate(int(file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, length)
}

func (h *host) SendFile(to driver.Owner, key driver.FileKey, fd int32) error {
	return h.post.Send(postPath(h.dir, uint64(to)), key, fd)
}

func (h *host) TakeFile(key driver.FileKey) (int32, error) { return h.post.Take(key) }

func (h *host) DropFile(to driver.Owner, key driver.FileKey) {
	if uint64(to) == h.token {
		h.post.Drop(key)
		return
	}
	_ = h.post.SendDrop(postPath(h.dir, uint64(to)), key)
}

func (h *host) CloseFile(fd int32) { _ = unix.Close(int(fd)) }

func (h *host) close() {
	h.post.Close()
	h.windows.ForgetIf(func(*local.Window) bool { return true })
}

// startTime is when a process started, in the kernel's ticks after boot; 0 if
// there is no such process, or only what is left of it until its parent waits.
func startTime(pid int) uint64 {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0
	}
	stat, err := p.Stat()
	if err != nil || stat.State == "Z" || stat.State == "X" {
		return 0
	}
	return stat.Starttime
}

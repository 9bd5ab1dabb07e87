// Package shared is the Binder device of processes that trust each other. A
// directory, by default under /dev/shm, plays the part of binderfs: it holds
// the driver's records and every process's region as memory files, and whoever
// may open it joins. There is no daemon; the driver runs in its callers.
//
// Files in the directory:
//
//	arena           the driver's records
//	lock            held while a process joins or leaves, or the directory is removed
//	region-ID       the receive region of a binder_proc
//	member-TOKEN    locked as long as a process is a member: its sign of life
//	post-TOKEN      the socket where the member receives descriptors
//
// A process that dies, or execs and so loses its mappings, drops its lock.
// Every member watches the others through pidfds, and the first to notice
// wakes whoever the dead one should have woken and releases on its behalf.
//
// Known gaps: members trust each other with all of the directory's memory, as
// with any shared memory. A member that is stopped while it holds the driver
// lock delays the others; Holder names it. The arena cannot be sealed, because
// files of a directory cannot: if somebody cuts it off, the calls that run into
// that fail with EIO, every member's watch notices, and the context is given up,
// so that all further calls fail and those that wait end (guard). A region whose
// file is cut off is an error for who sends to it, but a fault (SIGBUS) for its
// owner who reads what it has received there.
package shared

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/local"
	"ipcbench/ipc/binder/driver"
	"ipcbench/ipc/binder/driver/arena"
)

// Wait is how threads wait for work.
type Wait = driver.Wait

// The ways to wait.
const (
	WaitBlock    = driver.WaitBlock
	WaitAdaptive = driver.WaitAdaptive
	WaitSpin     = driver.WaitSpin
)

// Options of a device; the zero Options are the usual ones.
type Options struct {
	// Dir is the directory, made if it is not there; DefaultDir if it is
	// empty.
	Dir string
	// Existing refuses to make the directory: New wraps ENOENT if it is not
	// there.
	Existing bool
	// Mode is the permission of the directory and what is in it, if they are
	// made; 0700 if it is 0.
	Mode os.FileMode
	// ArenaSize is the most memory that the driver's records may take, in
	// bytes, in multiples of 64 KiB, if the arena is made; 256 MiB if it is 0.
	// Storage is taken as it is needed.
	ArenaSize int64
	// Wait is how threads wait for work.
	Wait Wait
	// RawWait has threads sleep in a raw system call and without a timer:
	// faster, but a sleeping thread then keeps its processor (GOMAXPROCS) for
	// up to 10 ms, and of all signals only the Go scheduler's own interrupts
	// it. It is for processes that lock their goroutines to threads and have
	// more processors than such threads: the watch for dead members needs one.
	RawWait bool
	// Step is called at each step of the driver; a hook for tests that kill
	// the process there.
	Step func(arena.Step)
}

// DefaultDir is the directory of a user's default context.
func DefaultDir() string { return fmt.Sprintf("/dev/shm/binder-%d", os.Getuid()) }

// ErrNamespace says that the members of a directory live in another pid
// namespace, where this process could not tell whether they are alive.
var ErrNamespace = errors.New("shared binder: members are in another pid namespace")

const defaultArenaSize = 256 << 20

// Device is this process's membership of a directory.
type Device struct {
	dir     string
	wait    driver.Wait
	driver  *driver.Driver
	host    *host
	mem     []byte
	arena   *os.File
	alive   *os.File
	lock    *os.File
	stop    int // eventfd that ends the watch
	watched sync.WaitGroup
}

var (
	_ device.Device = (*Device)(nil)
	_ device.Viewer = (*Device)(nil)
	_ device.Tracer = (*Device)(nil)
)

// New joins the directory, and makes it if it is not there. Errors wrap those
// of package arena if what is there is no arena of this program's, ENOSPC if
// the file system is full, EACCES if the process may not join, or
// ErrNamespace.
func New(o Options) (*Device, error) {
	if o.Dir == "" {
		o.Dir = DefaultDir()
	}
	if o.Mode == 0 {
		o.Mode = 0o700
	}
	if o.ArenaSize == 0 {
		o.ArenaSize = defaultArenaSize
	}
	if o.RawWait {
		if err := sys.LetPreemptionInterrupt(); err != nil {
			return nil, fmt.Errorf("shared binder %s: %w", o.Dir, err)
		}
	}
	d := &Device{dir: o.Dir, wait: o.Wait, stop: -1}
	if err := d.join(o); err != nil {
		d.abandon()
		return nil, fmt.Errorf("shared binder %s: %w", o.Dir, err)
	}
	d.watched.Go(d.watch)
	return d, nil
}

func (d *Device) join(o Options) (err error) {
	if d.lock, err = lockDir(o); err != nil {
		return err
	}
	defer flock(d.lock, unix.LOCK_UN)
	if err := checkNamespace(o); err != nil {
		return err
	}
	self, err := d.signOfLife(o)
	if err != nil {
		return err
	}
	post, err := local.NewPost(postPath(d.dir, self.User))
	if err != nil {
		return err
	}
	_ = os.Chmod(post.Path(), o.Mode&0o666)
	d.host = &host{dir: d.dir, mode: o.Mode & 0o666, token: self.User, post: post, raw: o.RawWait}
	if d.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		return err
	}
	if err := d.attach(o, self); err != nil {
		return err
	}
	d.sweep()
	return nil
}

// signOfLife makes the file whose lock says that this process lives. It is
// close-on-exec: a program that execs keeps its pid, but not its mappings.
func (d *Device) signOfLife(o Options) (arena.Slot, error) {
	var token [8]byte
	if _, err := rand.Read(token[:]); err != nil {
		return arena.Slot{}, err
	}
	self := arena.Slot{PID: int32(os.Getpid()), UID: uint32(os.Getuid()),
		Start: startTime(os.Getpid()), User: binary.NativeEndian.Uint64(token[:])}
	var err error
	if d.alive, err = create(memberPath(d.dir, self.User), o.Mode); err != nil {
		return self, err
	}
	return self, flock(d.alive, unix.LOCK_EX|unix.LOCK_NB)
}

// attach maps the arena and joins it, making it first if it is new or if its
// maker died before it was done.
func (d *Device) attach(o Options, self arena.Slot) (err error) {
	if d.arena, err = create(filepath.Join(d.dir, "arena"), o.Mode); err != nil {
		return err
	}
	d.host.arena = d.arena
	var magic [8]byte
	n, _ := d.arena.ReadAt(magic[:], 0)
	if fresh := n == 0 || magic == [8]byte{}; fresh {
		if living(d.dir) > 1 {
			return fmt.Errorf("%w: it was emptied while processes used it", arena.ErrMagic)
		}
		if err := errors.Join(d.arena.Truncate(0), d.arena.Truncate(o.ArenaSize)); err != nil {
			return err
		}
		if err := d.mapArena(); err != nil {
			return err
		}
		d.driver, err = driver.Create(d.mem, self, d.host, o.Step)
	} else {
		if err := d.mapArena(); err != nil {
			return err
		}
		d.driver, err = driver.Join(d.mem, self, d.host, o.Step)
	}
	return err
}

func (d *Device) mapArena() error {
	st, err := d.arena.Stat()
	if err != nil {
		return err
	}
	if st.Size() < arena.MinSize {
		return fmt.Errorf("%w: %d bytes", arena.ErrSize, st.Size())
	}
	d.mem, err = unix.Mmap(int(d.arena.Fd()), 0, int(st.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	return unix.Madvise(d.mem, unix.MADV_DONTFORK) // a child is no member
}

// Name is "shared".
func (d *Device) Name() string { return "shared" }

// Dir is the directory.
func (d *Device) Dir() string { return d.dir }

// Driver is the driver behind the device.
func (d *Device) Driver() *driver.Driver { return d.driver }

// View is described by device.Viewer.
func (d *Device) View(name string) (string, error) { return local.View(d.driver, name) }

// Trace is described by device.Tracer.
func (d *Device) Trace(tell func(device.Step)) { local.Trace(d.driver, tell) }

// Holder is the process and thread that hold the driver lock just now, 0 and 0
// if nobody does.
func (d *Device) Holder() (pid, tid int32) { return d.driver.Arena().Holder() }

// Open opens the device as this process.
func (d *Device) Open(flags int) (device.File, error) {
	p, err := d.driver.Open(local.Self(), d.task)
	if err != nil {
		return nil, err
	}
	p.SetWait(d.wait)
	return local.NewFile(p, d.host, flags), nil
}

func (d *Device) task(int32) driver.Task { return d.host }

// Close ends the membership. All files and mappings must have been closed. The
// last member removes the directory.
func (d *Device) Close() error {
	d.stopWatching()
	if err := flock(d.lock, unix.LOCK_EX); err != nil {
		return err
	}
	others := d.driver.Leave()
	var err error
	last := others == 0 && living(d.dir) <= 1 // which is this one
	if last && isAt(d.lock, lockPath(d.dir)) {
		err = dismantle(d.dir)
	}
	d.abandon()
	return err
}

func (d *Device) stopWatching() {
	one := []byte{1, 0, 0, 0, 0, 0, 0, 0}
	_, _ = unix.Write(d.stop, one)
	d.watched.Wait()
}

// abandon gives back what this process has of the directory.
func (d *Device) abandon() {
	if d.host != nil {
		d.host.close()
		_ = os.Remove(memberPath(d.dir, d.host.token))
		_ = os.Remove(postPath(d.dir, d.host.token))
	}
	if d.mem != nil {
		_ = unix.Munmap(d.mem)
	}
	if d.stop >= 0 {
		_ = unix.Close(d.stop)
	}
	for _, f := range []*os.File{d.arena, d.alive, d.lock} {
		if f != nil {
			f.Close()
		}
	}
}

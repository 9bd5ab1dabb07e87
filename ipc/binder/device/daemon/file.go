package daemon

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/daemon/wire"
	"ipcbench/ipc/binder/device/local"
)

// open is what all references to a binder_proc share.
type open struct {
	connection *connection
	raw        bool

	refs    atomic.Int32 // files and the mapping
	gone    atomic.Bool  // the daemon is, or the last reference
	watched chan struct{}
	making  sync.Mutex // of a thread
	threads sync.Map   // int32 to *thread
	recent  atomic.Pointer[thread]

	post  sync.Mutex
	posts int // the socket on which descriptors arrive
}

// File is a device.File of a daemon.
type File struct {
	*open
	closed atomic.Bool
}

var (
	_ device.File       = (*File)(nil)
	_ device.Accountant = (*File)(nil)
	_ device.Terse      = (*File)(nil)
)

func newFile(c *connection, posts int, raw bool) *File {
	o := &open{connection: c, posts: posts, raw: raw, watched: make(chan struct{})}
	o.refs.Store(1)
	go o.watch()
	return &File{open: o}
}

// watch sends all threads home when the daemon is gone.
func (o *open) watch() {
	defer close(o.watched)
	o.connection.awaitHangup()
	o.gone.Store(true)
	o.threads.Range(func(_, t any) bool {
		t.(*thread).kick()
		return true
	})
}

// put gives a reference back. With the last one the daemon releases the
// binder_proc.
func (o *open) put() {
	if o.refs.Add(-1) > 0 {
		return
	}
	o.connection.hangup()
	<-o.watched
	o.threads.Range(func(_, t any) bool {
		t.(*thread).end()
		return true
	})
	o.connection.close()
	_ = unix.Close(o.posts)
}

// Ioctl is described by device.File.
func (f *File) Ioctl(key int32, cmd uint32, arg uintptr) error {
	if f.closed.Load() {
		return unix.EBADF
	}
	t, err := f.thread(key)
	if err != nil {
		return err
	}
	return t.ioctl(cmd, arg)
}

// Poll is described by device.File.
func (f *File) Poll(key int32, timeout time.Duration) (int16, error) {
	if f.closed.Load() {
		return 0, unix.EBADF
	}
	t, err := f.thread(key)
	if err != nil {
		return 0, err
	}
	return t.poll(timeout)
}

// Account is described by device.Accountant: what the daemon did for the thread,
// and the system calls of the thread itself.
func (f *File) Account(key int32) device.Account {
	if t := f.known(key); t != nil {
		return t.account()
	}
	return device.Account{}
}

// SetTerse is described by device.Terse.
func (f *File) SetTerse(key int32) bool {
	if f.closed.Load() {
		return false
	}
	t, err := f.thread(key)
	if err == nil {
		_, err = t.ask(wire.Request{Kind: wire.SetTerse})
	}
	return err == nil
}

// known is the thread with the key, nil if it has made no call yet.
func (o *open) known(key int32) *thread {
	if t := o.recent.Load(); t != nil && t.key == key {
		return t
	}
	t, _ := o.threads.Load(key)
	known, _ := t.(*thread)
	return known
}

// thread is the thread with the key, whose page is got with its first call.
func (o *open) thread(key int32) (*thread, error) {
	t := o.known(key)
	if t == nil {
		var err error
		if t, err = o.newThread(key); err != nil {
			return nil, err
		}
	}
	if o.recent.Load() != t {
		o.recent.Store(t)
	}
	return t, nil
}

func (o *open) newThread(key int32) (*thread, error) {
	o.making.Lock()
	defer o.making.Unlock()
	if t, ok := o.threads.Load(key); ok { // somebody else with the key was faster
		return t.(*thread), nil
	}
	if o.gone.Load() {
		return nil, ErrGone
	}
	_, fd, err := o.connection.ask(wire.Message{Operation: wire.Thread, A: uint64(uint32(key))}, true)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	page, err := unix.Mmap(fd, 0, wire.PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	t := &thread{open: o, key: key, page: page, calls: wire.Page(page).Calls(), answers: wire.Page(page).Answers()}
	o.threads.Store(key, t)
	if o.gone.Load() {
		t.kick()
	}
	return t, nil
}

// Shrink is described by device.Shrinker: a sealed file keeps its pages.
func (f *File) Shrink(int) (int, error) {
	return 0, fmt.Errorf("the region of a daemon is sealed, and gives no memory back: %w", errors.ErrUnsupported)
}

// Dup is described by device.File.
func (f *File) Dup() (device.File, error) {
	if f.closed.Load() {
		return nil, unix.EBADF
	}
	f.refs.Add(1)
	return &File{open: f.open}, nil
}

// Close is described by device.File.
func (f *File) Close() error {
	if f.closed.Swap(true) {
		return unix.EBADF
	}
	_, _, _ = f.connection.ask(wire.Message{Operation: wire.Flush}, false)
	f.put()
	return nil
}

// Mmap is described by device.File. The daemon makes the file of the region, which
// nobody but itself can map writable.
func (f *File) Mmap(length, prot, _ int) (device.Mapping, error) {
	switch {
	case f.closed.Load():
		return nil, fmt.Errorf("binder mmap: %w", unix.EBADF)
	case prot&unix.PROT_WRITE != 0:
		// A private writable mapping would not be refused by the seals.
		return nil, fmt.Errorf("binder mmap: %w", unix.EPERM)
	case length <= 0:
		return nil, fmt.Errorf("binder mmap: %w", unix.EINVAL)
	}
	size := (length + os.Getpagesize() - 1) &^ (os.Getpagesize() - 1)
	mem, err := f.mapRegion(size)
	if err != nil {
		return nil, fmt.Errorf("binder mmap: %w", err)
	}
	f.refs.Add(1)
	unmapped := func() { _, _, _ = f.connection.ask(wire.Message{Operation: wire.Unmap}, false) }
	return local.NewMapping(mem, length, unmapped, f.put), nil
}

// mapRegion takes an address first, because the driver needs it to make the
// region.
func (f *File) mapRegion(size int) ([]byte, error) {
	mem, err := unix.Mmap(-1, 0, size, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	_, fd, err := f.connection.ask(wire.Message{Operation: wire.Map, A: uint64(size), B: sys.Address(mem)}, true)
	if err == nil {
		err = sys.MapOver(mem, fd, unix.PROT_READ)
		_ = unix.Close(fd)
	}
	if err != nil {
		_ = unix.Munmap(mem)
		return nil, err
	}
	return mem, nil
}

package devicetest

import (
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/devicetest/internal/party"
)

// regionBytes is the size of a receive region unless a row says otherwise.
const regionBytes = 1 << 20

// test is one row under way, on a context of its own.
type test struct {
	testing.TB
	backend *Backend
	node    string
	pids    int32 // given away so far to parties of this process

	deviates bool
	reason   string // why the row was not run
}

// check ends the row on an error of the test's own machinery.
func (x *test) check(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// since skips the row on a driver older than the release.
func (x *test) since(major, minor int) {
	x.Helper()
	if r := (Release{major, minor}); !x.backend.Release.AtLeast(r) {
		x.Skipf("came with %v, the driver is that of %v", r, x.backend.Release)
	}
}

func (x *test) errno(got, want syscall.Errno, what string) {
	x.Helper()
	if got != want {
		x.Fatalf("%s: %q, want %q", what, name(got), name(want))
	}
}

func name(e syscall.Errno) string {
	if e == 0 {
		return "0"
	}
	return unix.ErrnoName(e)
}

// eventually repeats a look until it is true: the driver releases from a work
// queue, so what a close or an exit brings about is there only some time later.
func (x *test) eventually(what string, look func() bool) {
	x.Helper()
	for deadline := time.Now().Add(10 * time.Second); !look(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			x.Fatalf("%s: never came true", what)
		}
	}
}

// process is a participant.
type process struct {
	x *test
	*party.Client
}

// call does an operation of a process that returns a value or an errno.
func call[T any](p *process, operation string, args any) (T, syscall.Errno) {
	p.x.Helper()
	r, err := party.Call[T](p.Client, operation, args)
	p.x.check(err)
	return r.Value, r.Errno
}

// must is call where an errno fails the row.
func must[T any](p *process, operation string, args any) T {
	p.x.Helper()
	v, errno := call[T](p, operation, args)
	p.x.errno(errno, 0, operation)
	return v
}

// process starts a participant with the test's own euid.
func (x *test) process() *process {
	x.Helper()
	return x.processAs(uint32(os.Geteuid()))
}

func (x *test) processAs(euid uint32) *process {
	x.Helper()
	if x.backend.InProcess {
		x.pids++
		who := Identity{PID: 1000 + x.pids, EUID: euid}
		d, err := x.backend.Open(x.node, who)
		x.check(err)
		c, err := party.StartLocal(who.PID, euid, d.Open)
		x.check(err)
		return x.adopt(c)
	}
	if int(euid) != os.Geteuid() && os.Geteuid() != 0 {
		x.Skip("another uid takes root")
	}
	c, err := party.StartProcess(x.backend.Device, x.node, euid)
	x.check(err)
	return x.adopt(c)
}

func (x *test) adopt(c *party.Client) *process {
	x.Cleanup(func() {
		if output := c.Kill(); x.Failed() && output != "" {
			x.Logf("party %d said:\n%s", c.PID, output)
		}
	})
	return &process{x, c}
}

// store puts bytes in the process's memory and says where.
func (p *process) store(b []byte) uint64 { return must[uint64](p, "Store", b) }

// load is memory of the process.
func (p *process) load(addr uint64, n int) []byte {
	p.x.Helper()
	return must[[]byte](p, "Load", party.LoadArgs{Addr: addr, N: n})
}

// file is an open file of a process: a binder_proc.
type file struct {
	*process
	id     int
	region party.Region // zero until mapped
	main   *thread      // its first thread, which is not fresh
}

// open opens the device, without a mapping.
func (p *process) open(flags int) *file {
	p.x.Helper()
	f := &file{process: p, id: must[int](p, "Open", party.OpenArgs{Flags: flags})}
	f.main = f.thread()
	return f
}

// mmap maps the file, read-only and private as libbinder does.
func (f *file) mmap(length int) syscall.Errno {
	f.x.Helper()
	return f.mmapAs(length, unix.PROT_READ)
}

func (f *file) mmapAs(length, prot int) syscall.Errno {
	f.x.Helper()
	region, errno := call[party.Region](f.process, "Map",
		party.MapArgs{File: f.id, Length: length, Prot: prot, Flags: unix.MAP_PRIVATE | unix.MAP_NORESERVE})
	if errno == 0 {
		f.region = region
	}
	return errno
}

func (f *file) unmap(offset, length int) {
	f.x.Helper()
	must[party.None](f.process, "Unmap", party.UnmapArgs{Region: f.region.ID, Offset: offset, Length: length})
}

func (f *file) dup() int {
	f.x.Helper()
	return must[int](f.process, "Dup", f.id)
}

func (f *file) close(id int) {
	f.x.Helper()
	must[party.None](f.process, "Close", id)
}

// join is a new process with the device open and mapped, whose main thread is
// a looper.
func (x *test) join() *file {
	x.Helper()
	return x.joinWith(0)
}

func (x *test) joinWith(flags int) *file {
	x.Helper()
	f := x.process().open(flags)
	x.errno(f.mmap(regionBytes), 0, "mmap")
	f.main.write(plain(abi.BC_ENTER_LOOPER))
	return f
}

// managerNode is the node of every context manager here.
var managerNode = abi.PtrCookie{Ptr: 0x10, Cookie: 0x11}

// manager is a joined process that is the context manager and accepts
// descriptors.
func (x *test) manager() *file {
	x.Helper()
	return x.managerWith(abi.FLAT_BINDER_FLAG_ACCEPTS_FDS)
}

func (x *test) managerWith(flags abi.ObjectFlags) *file {
	x.Helper()
	f := x.join()
	// The one before may not be released yet, where rows share a context.
	x.eventually("BINDER_SET_CONTEXT_MGR_EXT", func() bool { return f.main.claim(flags) != unix.EBUSY })
	return f
}

// claim makes the file the context manager.
func (t *thread) claim(flags abi.ObjectFlags) syscall.Errno {
	_, errno := t.control(abi.BINDER_SET_CONTEXT_MGR_EXT, object(abi.SizeofFlatBinderObject, &abi.FlatBinderObject{
		Type: abi.BINDER_TYPE_BINDER, Flags: flags, Binder: managerNode.Ptr, Cookie: managerNode.Cookie}))
	return errno
}

package shared

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/child"
	"ipcbench/internal/leakcheck"
	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/arena"
)

func init() { roles["sender"] = sender }

// sender sends a descriptor in a oneway call, closes it, lets its number be
// used again, and dies before anybody received it.
func sender(args []string) error {
	_, p, err := join(Options{Dir: args[0]})
	if err != nil {
		return err
	}
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	if _, err := unix.Write(ends[1], []byte("still here")); err != nil {
		return err
	}
	object := abi.FDObject{Type: abi.BINDER_TYPE_FD, FD: uint32(ends[0])}
	object.Encode(p.mem[atPayload:])
	binary.NativeEndian.PutUint64(p.mem[atPayload+64:], 0)
	var buf [128]byte
	e := abi.NewEncoder[abi.Command](buf[:])
	e.Transaction(abi.BC_TRANSACTION, &abi.TransactionData{Flags: abi.TF_ONE_WAY, DataSize: abi.SizeofFDObject,
		Buffer: p.addr(atPayload), OffsetsSize: 8, Offsets: p.addr(atPayload + 64)})
	if err := p.call(e.Bytes(), 256); err != nil {
		return err
	}
	null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.Dup3(null, ends[0], unix.O_CLOEXEC); err != nil { // closes it, and uses the number again
		return err
	}
	_ = unix.Close(ends[1])
	return unix.Kill(os.Getpid(), unix.SIGKILL)
}

// managerPeer makes this process, on this thread, the context manager.
func managerPeer(t *testing.T, d *Device) *peer {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	p, err := newPeer(d)
	if err != nil {
		t.Fatal(err)
	}
	arg := p.mem[atPayload:]
	(&abi.FlatBinderObject{Flags: abi.FLAT_BINDER_FLAG_ACCEPTS_FDS}).Encode(arg)
	if err := p.f.Ioctl(p.tid, uint32(abi.BINDER_SET_CONTEXT_MGR_EXT), uintptr(p.addr(atPayload))); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDescriptorOutlivesItsSender(t *testing.T) {
	dir := testDir(t)
	d, err := New(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	p := managerPeer(t, d)
	defer p.close()
	cmd := command("sender", dir)
	if out, err := cmd.CombinedOutput(); err == nil || len(out) > 0 {
		t.Fatalf("the sender did not kill itself: %v, %s", err, out)
	}
	awaitAlone(t, d)
	code, tr, err := p.next()
	if err != nil || code != abi.BR_TRANSACTION {
		t.Fatal(code, err)
	}
	var object abi.FDObject
	object.Decode(p.bytes(tr))
	file := os.NewFile(uintptr(object.FD), "received")
	defer file.Close()
	if text, err := io.ReadAll(file); string(text) != "still here" {
		t.Errorf("read %q, %v", text, err)
	}
}

// TestTruncatedRegion: a region whose file somebody cut off is an error of
// whoever touches it, and nobody dies of it.
func TestTruncatedRegion(t *testing.T) {
	dir := testDir(t)
	server := start(t, "server", dir)
	_, p := member(t, dir)
	_, reply, err := p.request(64, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = server.Process.Signal(unix.SIGSTOP)
	regions, _ := filepath.Glob(filepath.Join(dir, "region-*"))
	for _, r := range regions {
		if err := os.Truncate(r, 0); err != nil {
			t.Fatal(err)
		}
	}
	code, _, err := p.request(64, reply.Buffer)
	if err != nil || code != abi.BR_FAILED_REPLY {
		t.Errorf("a call into a truncated region: %v, %v; want BR_FAILED_REPLY", code, err)
	}
}

// TestForkedChild: a child that a member forks inherits neither its region nor the
// arena.
func TestForkedChild(t *testing.T) {
	d, p := member(t, testDir(t))
	for what, want := range map[string]struct {
		addr uintptr
		seen unix.Errno
	}{
		"region": {p.m.Addr(), unix.ENOMEM},
		"arena":  {uintptr(sys.Address(d.mem)), unix.ENOMEM},
		"other":  {uintptr(sys.Address(p.mem)), 0},
	} {
		if saw, err := sys.ForkedLook(-1, want.addr); err != nil || saw.Look != want.seen {
			t.Errorf("%s: the child sees %v, %v; want %v", what, saw.Look, err, want.seen)
		}
	}
}

// TestDiskFull: on a full file system making a context and calling fail with an
// error.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1280k"); err != nil {
		t.Skipf("mounting a small file system: %v", err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	context := filepath.Join(dir, "context")
	d, err := New(Options{Dir: context})
	if err != nil {
		t.Fatal(err)
	}
	p := managerPeer(t, d)
	start(t, "caller", context)
	// The region's pages do not fit any more: the caller is told, not killed.
	if code, _, err := p.next(); err != nil || code != abi.BR_TRANSACTION {
		t.Errorf("the call that fits: %v, %v", code, err)
	}
	p.close()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	fill, err := os.Create(filepath.Join(dir, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	defer fill.Close()
	for err == nil {
		_, err = fill.Write(make([]byte, 4096))
	}
	other := Options{Dir: filepath.Join(dir, "other")}
	for range 2 { // the first try must not leave half an arena behind
		if _, err := New(other); !errors.Is(err, unix.ENOSPC) {
			t.Errorf("making a context on a full file system: %v, want ENOSPC", err)
		}
	}
}

func init() { roles["caller"] = caller }

// caller sends a payload that the file system cannot hold, is told so, and
// then one that fits.
func caller(args []string) error {
	_, p, err := join(Options{Dir: args[0]})
	if err != nil {
		return err
	}
	if code, _, err := p.request(1000<<10, 0); err != nil || code != abi.BR_FAILED_REPLY {
		return fmt.Errorf("a payload that does not fit: %v, %w", code, err)
	}
	fmt.Println(child.Ready)
	_, _, err = p.request(64, 0)
	return err
}

// TestRemovedDirectory: a member whose files somebody removed is not taken for
// dead, and is when it dies.
func TestRemovedDirectory(t *testing.T) {
	dir := testDir(t)
	server := start(t, "server", dir)
	d, p := member(t, dir)
	code, reply, err := p.request(64, 0)
	if err != nil || code != abi.BR_REPLY {
		t.Fatal(code, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	d.reap(map[uint64]int{})
	if n := len(d.driver.Members()); n != 2 {
		t.Fatalf("%d members are left", n)
	}
	if code, _, err := p.request(64, reply.Buffer); err != nil || code != abi.BR_REPLY {
		t.Errorf("a call between members without directory: %v, %v", code, err)
	}
	if err := server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	awaitAlone(t, d)
}

// TestTruncatedArena: when somebody cuts the arena off, whoever calls gets an error,
// also those who wait, the members close in order, and nobody can join any more.
func TestTruncatedArena(t *testing.T) {
	for name, size := range map[string]int64{"all": 0, "header left": 4096, "records left": 1 << 16} {
		t.Run(name, func(t *testing.T) {
			leakcheck.Expect(t, nil)
			dir := testDir(t)
			d, err := New(Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			waits, waiting := make(chan error), make(chan int)
			go waitForWork(d, waiting, waits)
			tid := <-waiting
			p, err := newPeer(d)
			if err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
				if state, err := threadState(os.Getpid(), tid); state == "S" || err != nil || time.Now().After(deadline) {
					break
				}
			}
			callers := start(t, "caller until error", dir)
			if err := os.Truncate(filepath.Join(dir, "arena"), size); err != nil {
				t.Fatal(err)
			}
			if err := callers.Wait(); err != nil {
				t.Error("the other process:", err)
			}
			if err := <-waits; !errors.Is(err, unix.EIO) {
				t.Errorf("the call that waits: %v", err)
			}
			if err := p.call(nil, 256); !errors.Is(err, unix.EIO) {
				t.Errorf("a call: %v", err)
			}
			if _, err := New(Options{Dir: dir}); !errors.Is(err, arena.ErrMagic) {
				t.Errorf("joining: %v", err)
			}
			p.close()
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Error("the directory is left:", err)
			}
		})
	}
}

// waitForWork waits for work until that fails.
func waitForWork(d *Device, waiting chan<- int, ended chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p, err := newPeer(d)
	waiting <- unix.Gettid()
	for err == nil {
		err = p.call(nil, 256)
	}
	if p != nil {
		p.close()
	}
	ended <- err
}

func init() { roles["caller until error"] = callUntilError }

// callUntilError calls until it gets an error, on four threads at once, and expects
// that to be EIO.
func callUntilError(args []string) error {
	d, err := New(Options{Dir: args[0]})
	if err != nil {
		return err
	}
	ended := make(chan error)
	for range 4 {
		go func() {
			runtime.LockOSThread()
			p, err := newPeer(d)
			for err == nil {
				_, _, err = p.request(64, 0)
			}
			if p != nil {
				p.close()
			}
			ended <- err
		}()
	}
	fmt.Println(child.Ready)
	for range 4 {
		if err := <-ended; !errors.Is(err, unix.EIO) {
			return fmt.Errorf("a call ended with %w", err)
		}
	}
	return d.Close()
}

func init() { roles["stranger"] = beStranger }

// beStranger tries to join a directory of another user's.
func beStranger(args []string) error {
	if _, err := New(Options{Dir: args[0]}); !errors.Is(err, unix.EACCES) {
		return fmt.Errorf("joining: %w, want EACCES", err)
	}
	return nil
}

// TestNoPermission: whoever may not open the directory's files cannot join.
func TestNoPermission(t *testing.T) {
	const nobody = 65534
	if os.Getuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	for name, mode := range map[string]os.FileMode{"directory": 0o700, "files": 0o711} {
		t.Run(name, func(t *testing.T) {
			dir := testDir(t)
			d, err := New(Options{Dir: dir, Mode: mode})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
				t.Fatal(err)
			}
			cmd := command("stranger", dir)
			cmd.Path = "/proc/self/exe" // whose path it may not walk
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
}

package party

import (
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
)

// scratchBytes is the room for everything that a test stores in a party.
const scratchBytes = 64 << 20

// agent is the party's side: it does what the calls say.
type agent struct {
	open    func(flags int) (device.File, error)
	scratch uintptr

	mu      sync.Mutex
	used    int
	next    int
	files   map[int]device.File
	regions map[int]device.Mapping
	workers map[int32]*worker
}

func newAgent(open func(flags int) (device.File, error)) (*agent, error) {
	scratch, err := sys.MapFile(-1, scratchBytes, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("memory of a party: %w", err)
	}
	return &agent{open: open, scratch: scratch, files: map[int]device.File{},
		regions: map[int]device.Mapping{}, workers: map[int32]*worker{}}, nil
}

// serve answers the calls that come over conn. When the other side hangs up
// it calls gone and returns once no call is under way any more.
func (a *agent) serve(conn io.ReadWriteCloser, gone func()) error {
	server := rpc.NewServer()
	if err := server.RegisterName("Party", a); err != nil {
		return err
	}
	server.ServeConn(&hangup{ReadWriteCloser: conn, gone: gone})
	return nil
}

// hangup is a connection that tells when the other side is gone.
type hangup struct {
	io.ReadWriteCloser
	gone func()
}

func (h *hangup) Read(b []byte) (int, error) {
	n, err := h.ReadWriteCloser.Read(b)
	if err != nil {
		h.gone()
	}
	return n, err
}

// release closes and unmaps everything, as the end of a process does; blocked
// calls return from it.
func (a *agent) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.files {
		f.Close()
	}
	for _, m := range a.regions {
		m.Unmap(0, m.Len())
	}
	clear(a.files)
	clear(a.regions)
}

// stop ends the threads, which must be out of their calls, and gives back
// what they used.
func (a *agent) stop() {
	for _, w := range a.workers {
		close(w.jobs)
	}
	sys.UnmapAt(a.scratch, scratchBytes)
}

// settle splits an error in the errno that a test asks about and what ends
// the test.
func settle[T any](r *Result[T], value T, err error) error {
	r.Value = value
	if err == nil || errors.As(err, &r.Errno) {
		return nil
	}
	return err
}

func find[K comparable, V any](a *agent, kind string, all map[K]V, key K) (V, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v, ok := all[key]
	if !ok {
		return v, fmt.Errorf("party: no %s %v", kind, key)
	}
	return v, nil
}

func add[V any](a *agent, all map[int]V, v V) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next++
	all[a.next] = v
	return a.next
}

func (a *agent) file(id int) (device.File, error) { return find(a, "file", a.files, id) }

// Open is open(2) of the device.
func (a *agent) Open(args OpenArgs, r *Result[int]) error {
	f, err := a.open(args.Flags)
	if err != nil {
		return settle(r, 0, err)
	}
	return settle(r, add(a, a.files, f), nil)
}

// Dup is dup(2).
func (a *agent) Dup(file int, r *Result[int]) error {
	f, err := a.file(file)
	if err != nil {
		return err
	}
	dup, err := f.Dup()
	if err != nil {
		return settle(r, 0, err)
	}
	return settle(r, add(a, a.files, dup), nil)
}

// Close is close(2).
func (a *agent) Close(file int, r *Result[None]) error {
	f, err := a.file(file)
	if err != nil {
		return err
	}
	a.mu.Lock()
	delete(a.files, file)
	a.mu.Unlock()
	return settle(r, None{}, f.Close())
}

// Map is mmap(2).
func (a *agent) Map(args MapArgs, r *Result[Region]) error {
	f, err := a.file(args.File)
	if err != nil {
		return err
	}
	m, err := f.Mmap(args.Length, args.Prot, args.Flags)
	if err != nil {
		return settle(r, Region{}, err)
	}
	return settle(r, Region{ID: add(a, a.regions, m), Addr: uint64(m.Addr())}, nil)
}

// Protect is mprotect(2).
func (a *agent) Protect(args ProtectArgs, r *Result[None]) error {
	m, err := find(a, "region", a.regions, args.Region)
	if err != nil {
		return err
	}
	return settle(r, None{}, m.Protect(args.Prot))
}

// Unmap is munmap(2).
func (a *agent) Unmap(args UnmapArgs, r *Result[None]) error {
	m, err := find(a, "region", a.regions, args.Region)
	if err != nil {
		return err
	}
	if args.Length == m.Len() {
		a.mu.Lock()
		delete(a.regions, args.Region)
		a.mu.Unlock()
	}
	return settle(r, None{}, m.Unmap(args.Offset, args.Length))
}

// Thread starts a thread and says its id.
func (a *agent) Thread(_ None, r *Result[int32]) error {
	w, err := startWorker()
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.workers[w.tid] = w
	a.mu.Unlock()
	r.Value = w.tid
	return nil
}

// Blocked waits until a call sleeps in the device, and says false if it
// returned instead.
func (a *agent) Blocked(args Issue, r *Result[bool]) error {
	w, err := find(a, "thread", a.workers, args.Thread)
	if err != nil {
		return err
	}
	r.Value, err = w.blocked(args.Number)
	return err
}

// issue runs a call on its thread.
func (a *agent) issue(on Issue, call func(w *worker, f device.File) error) (err error) {
	w, err := find(a, "thread", a.workers, on.Thread)
	if err != nil {
		return err
	}
	f, err := a.file(on.File)
	if err != nil {
		return err
	}
	w.run(on.Number, func() { err = call(w, f) })
	return err
}

// Control is an ioctl with a structure, which comes back as the call left it.
func (a *agent) Control(args ControlArgs, r *Result[[]byte]) error {
	return a.issue(args.Issue, func(w *worker, f device.File) error {
		arg := w.bytes(argOffset, len(args.Arg))
		copy(arg, args.Arg)
		err := f.Ioctl(w.tid, args.Request, w.memory+argOffset)
		return settle(r, append([]byte(nil), arg...), err)
	})
}

// Ioctl is an ioctl with a bare argument.
func (a *agent) Ioctl(args IoctlArgs, r *Result[None]) error {
	return a.issue(args.Issue, func(w *worker, f device.File) error {
		return settle(r, None{}, f.Ioctl(w.tid, args.Request, uintptr(args.Arg)))
	})
}

// WriteRead is BINDER_WRITE_READ.
func (a *agent) WriteRead(args WriteReadArgs, r *WriteReadValue) error {
	return a.issue(args.Issue, func(w *worker, f device.File) error {
		copy(w.bytes(writeOffset, len(args.Write)), args.Write)
		read := w.bytes(readOffset, int(args.ReadSize))
		clear(read)
		arg := w.bytes(argOffset, abi.SizeofWriteRead)
		bwr := abi.WriteRead{
			WriteSize: uint64(len(args.Write)), WriteConsumed: args.WriteConsumed, WriteBuffer: uint64(w.memory + writeOffset),
			ReadSize: args.ReadSize, ReadConsumed: args.ReadConsumed, ReadBuffer: uint64(w.memory + readOffset),
		}
		bwr.Encode(arg)
		err := f.Ioctl(w.tid, uint32(abi.BINDER_WRITE_READ), w.memory+argOffset)
		for errors.Is(err, unix.EINTR) && !args.Interruptible {
			err = f.Ioctl(w.tid, uint32(abi.BINDER_WRITE_READ), w.memory+argOffset)
		}
		bwr.Decode(arg)
		*r = WriteReadValue{WriteConsumed: bwr.WriteConsumed, ReadConsumed: bwr.ReadConsumed, Read: append([]byte(nil), read...)}
		if err == nil || errors.As(err, &r.Errno) {
			return nil
		}
		return err
	})
}

// Poll is poll(2): the events that are ready.
func (a *agent) Poll(args PollArgs, r *Result[int16]) error {
	return a.issue(args.Issue, func(w *worker, f device.File) error {
		ready, err := f.Poll(w.tid, time.Duration(args.TimeoutMS)*time.Millisecond)
		return settle(r, ready, err)
	})
}

// Signal interrupts a thread with the signal that the Go runtime itself uses
// for that and otherwise ignores.
func (a *agent) Signal(thread int32, r *Result[None]) error {
	return settle(r, None{}, unix.Tgkill(unix.Getpid(), int(thread), unix.SIGURG))
}

// Store copies bytes to memory of the party, aligned to 16, and says where.
func (a *agent) Store(b []byte, r *Result[uint64]) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used+len(b) > scratchBytes {
		return errors.New("party: out of memory for stored bytes")
	}
	at := a.scratch + uintptr(a.used)
	a.used += (len(b) + 15) &^ 15
	copy(sys.BytesAt(at, len(b)), b)
	r.Value = uint64(at)
	return nil
}

// Load copies memory of the party; what cannot be read is EFAULT.
func (a *agent) Load(args LoadArgs, r *Result[[]byte]) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			r.Errno = syscall.EFAULT
		}
	}()
	r.Value = append([]byte(nil), sys.BytesAt(uintptr(args.Addr), args.N)...)
	return nil
}

// Touch reads a byte of memory and lets what happens happen.
func (a *agent) Touch(addr uint64, r *Result[byte]) error {
	r.Value = sys.BytesAt(uintptr(addr), 1)[0]
	return nil
}

// Fork lets a forked child look at a file and a region of its parent.
func (a *agent) Fork(args ForkArgs, r *Result[ForkValue]) error {
	f, err := a.file(args.File)
	if err != nil {
		return err
	}
	m, err := find(a, "region", a.regions, args.Region)
	if err != nil {
		return err
	}
	described, ok := f.(interface{ FD() int })
	if !ok {
		return errors.New("party: the file has no descriptor that a child inherits")
	}
	seen, err := sys.ForkedLook(described.FD(), m.Addr())
	return settle(r, ForkValue{Map: seen.Map, Look: seen.Look}, err)
}

package binder

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
)

// fakeDevice is a device whose driver says what a test wants, and remembers
// what it was told: one line for each BINDER_WRITE_READ that wrote something.
// It shows the conversation; that the conversation makes sense to a driver is
// for the tests on real devices.
type fakeDevice struct {
	region []byte
	// says are the reads to come; an empty queue blocks.
	says chan func(*abi.Encoder[abi.Return])
	// interrupt makes the next read fail with EINTR, refuse the next write stop
	// behind its first command.
	interrupt, refuse bool

	mu      sync.Mutex
	heard   []string
	woken   chan struct{}
	ended   sync.Once
	ioctls  []abi.Ioctl
	because abi.ExtendedError
	version int32
}

func openFake(t *testing.T, opts ...Option) (*fakeDevice, *ProcessState) {
	t.Helper()
	region, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	d := &fakeDevice{region: region, version: abi.CurrentProtocolVersion, woken: make(chan struct{}),
		says: make(chan func(*abi.Encoder[abi.Return]), 16)}
	ps, err := Open(d, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ps.Close(); err != nil && err != ErrClosed {
			t.Error("close:", err)
		}
	})
	return d, ps
}

func (d *fakeDevice) Name() string                               { return "fake" }
func (d *fakeDevice) Open(int) (device.File, error)              { return d, nil }
func (d *fakeDevice) Mmap(int, int, int) (device.Mapping, error) { return d, nil }
func (d *fakeDevice) Poll(int32, time.Duration) (int16, error)   { return 0, nil }
func (d *fakeDevice) Dup() (device.File, error)                  { return d, nil }
func (d *fakeDevice) Close() error                               { d.ended.Do(func() { close(d.woken) }); return nil }
func (d *fakeDevice) Addr() uintptr                              { return uintptr(sys.Address(d.region)) }
func (d *fakeDevice) Len() int                                   { return len(d.region) }
func (d *fakeDevice) Bytes() []byte                              { return d.region }
func (d *fakeDevice) Protect(int) error                          { return nil }
func (d *fakeDevice) Unmap(int, int) error                       { return unix.Munmap(d.region) }
func (d *fakeDevice) say(says ...func(*abi.Encoder[abi.Return])) { d.says <- all(says) }
func (d *fakeDevice) buffer(at int) (address uint64)             { return uint64(d.Addr()) + uint64(at) }
func code(c abi.Return) func(*abi.Encoder[abi.Return]) {
	return func(e *abi.Encoder[abi.Return]) { e.Code(c) }
}
func cookie(c abi.Return, v uint64) func(*abi.Encoder[abi.Return]) {
	return func(e *abi.Encoder[abi.Return]) { e.Uint64(c, v) }
}
func all(says []func(*abi.Encoder[abi.Return])) func(*abi.Encoder[abi.Return]) {
	return func(e *abi.Encoder[abi.Return]) {
		e.Code(abi.BR_NOOP)
		for _, say := range says {
			say(e)
		}
	}
}

func node(c abi.Return, id uint64) func(*abi.Encoder[abi.Return]) {
	return func(e *abi.Encoder[abi.Return]) { e.PtrCookie(c, abi.PtrCookie{Ptr: id, Cookie: id}) }
}

// transaction says BR_TRANSACTION or BR_REPLY with payload put into the region
// at a place.
func (d *fakeDevice) transaction(c abi.Return, tr abi.TransactionData, at int, payload string) func(*abi.Encoder[abi.Return]) {
	copy(d.region[at:], payload)
	tr.Buffer, tr.DataSize, tr.Offsets = d.buffer(at), uint64(len(payload)), d.buffer(at)
	return func(e *abi.Encoder[abi.Return]) { e.Transaction(c, &tr) }
}

// Ioctl looks into the thread's own memory, where all its arguments are.
func (d *fakeDevice) Ioctl(key int32, cmd uint32, _ uintptr) error {
	d.mu.Lock()
	d.ioctls = append(d.ioctls, abi.Ioctl(cmd))
	d.mu.Unlock()
	ps := Self(d)
	ps.threads.mu.RLock()
	memory := ps.threads.byKey[key].memory
	ps.threads.mu.RUnlock()
	switch abi.Ioctl(cmd) {
	case abi.BINDER_VERSION:
		version := abi.Version{ProtocolVersion: d.version}
		version.Encode(memory[argumentAt:])
	case abi.BINDER_WRITE_READ:
		return d.writeRead(memory)
	case abi.BINDER_GET_EXTENDED_ERROR:
		d.because.Encode(memory[argumentAt:])
	}
	return nil
}

func (d *fakeDevice) writeRead(memory []byte) error {
	var wr abi.WriteRead
	wr.Decode(memory[writeReadAt:])
	defer func() { wr.Encode(memory[writeReadAt:]) }()
	d.hear(memory[outAt:], &wr)
	if wr.ReadSize == 0 {
		return nil
	}
	if d.interrupt {
		d.interrupt = false
		return unix.EINTR
	}
	e := abi.NewEncoder[abi.Return](memory[inAt : inAt+inSize])
	select {
	case say := <-d.says:
		say(&e)
	case <-d.woken:
		e.Code(abi.BR_NOOP)
	}
	wr.ReadConsumed = uint64(e.Len())
	return e.Err()
}

func (d *fakeDevice) hear(out []byte, wr *abi.WriteRead) {
	if wr.WriteConsumed == wr.WriteSize {
		return
	}
	var line []string
	dec := abi.NewDecoder[abi.Command](out[wr.WriteConsumed:wr.WriteSize])
	for {
		c, payload, err := dec.Next()
		if err == io.EOF {
			break
		}
		line = append(line, d.describe(c, payload))
		if d.refuse {
			d.refuse = false
			break
		}
	}
	wr.WriteConsumed += uint64(dec.Offset())
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = append(d.heard, strings.Join(line, ", "))
}

func (d *fakeDevice) describe(c abi.Command, payload []byte) string {
	name := strings.TrimPrefix(c.String(), "BC_")
	switch c {
	case abi.BC_TRANSACTION, abi.BC_REPLY:
		var tr abi.TransactionData
		tr.Decode(payload)
		return fmt.Sprintf("%s %d code %d flags %#x %dB", name, tr.Target, tr.Code, uint32(tr.Flags), tr.DataSize)
	case abi.BC_FREE_BUFFER:
		return fmt.Sprintf("%s %d", name, abi.Uint64(payload)-d.buffer(0))
	case abi.BC_REQUEST_DEATH_NOTIFICATION, abi.BC_CLEAR_DEATH_NOTIFICATION:
		var h abi.HandleCookie
		h.Decode(payload)
		return fmt.Sprintf("%s %d %d", name, h.Handle, h.Cookie())
	}
	switch len(payload) {
	case 4:
		return fmt.Sprintf("%s %d", name, abi.Uint32(payload))
	case 8, 16:
		return fmt.Sprintf("%s %d", name, abi.Uint64(payload))
	}
	return name
}

// told is what the driver was told since the last time.
func (d *fakeDevice) told() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	heard := d.heard
	d.heard = nil
	return heard
}

// await waits until the driver was told something.
func (d *fakeDevice) await(what string) {
	for {
		d.mu.Lock()
		heard := strings.Contains(strings.Join(d.heard, "\n"), what)
		d.mu.Unlock()
		if heard {
			return
		}
		runtime.Gosched()
	}
}

package binder

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
)

// IPCThreadState is one thread in its conversation with the driver: what it has
// to say (mOut in libbinder) and what it has read and not yet acted on (mIn).
// It belongs to one OS thread, and its methods are called on that thread only.
type IPCThreadState struct {
	ps  *ProcessState
	key int32

	// memory holds everything whose address goes to the driver.
	memory  []byte
	address uint64
	out     abi.Encoder[abi.Command]
	in      abi.Decoder[abi.Return]
	pinner  runtime.Pinner
	payload pinned

	// held is whether somebody holds the thread, under the lock of threads;
	// attached is how often, counted by the thread itself.
	held     bool
	attached int
	// pool: it is, or was, a looper; caller: it has a token of threads.callers.
	pool, caller bool
	// terse: it is not told of the completion of its replies.
	terse bool
	// inside is how many calls deep the thread is, busy whether any.
	inside int
	busy   atomic.Bool

	// Local belongs to whoever serves or calls on the thread.
	Local any

	calls  []*Call
	depth  int
	counts Counts
	// called is the object that the thread was called for last.
	called *localNode
	// replied is the buffer of the last reply of TransactBytes, 0 for none.
	replied, repliedSize uint64
}

// Layout of a thread's memory, in bytes.
const (
	writeReadAt = 0
	argumentAt  = 64 // argument of the other ioctls
	statusAt    = 96 // a reply that is only a status
	outAt       = 128
	outSize     = 896
	inAt        = outAt + outSize
	inSize      = 1024
	memorySize  = inAt + inSize
)

func newThread(ps *ProcessState, key int32) (*IPCThreadState, error) {
	memory, err := unix.Mmap(-1, 0, memorySize, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("binder: memory of a thread: %w", err)
	}
	return &IPCThreadState{ps: ps, key: key, memory: memory, address: sys.Address(memory),
		out: abi.NewEncoder[abi.Command](memory[outAt : outAt+outSize])}, nil
}

// ProcessState is the process that the thread belongs to.
func (t *IPCThreadState) ProcessState() *ProcessState { return t.ps }

// free gives the thread's memory back, once; under the lock of threads.
func (t *IPCThreadState) free() {
	if t.memory != nil {
		unix.Munmap(t.memory)
		t.memory = nil
		t.payload.unpin()
	}
}

// Counts is what a thread and the driver have said to each other.
type Counts struct {
	// Ioctls is how many BINDER_WRITE_READ were issued; Written and Read are
	// the bytes of commands and returns that they carried.
	Ioctls, Written, Read uint64
}

// Counts is the thread's account so far.
func (t *IPCThreadState) Counts() Counts { return t.counts }

// Account is what the device's driver did for the thread so far; ok is false
// where the driver does not tell.
func (t *IPCThreadState) Account() (a device.Account, ok bool) {
	accountant, ok := t.ps.file.(device.Accountant)
	if !ok {
		return device.Account{}, false
	}
	return accountant.Account(t.key), true
}

// argument is the memory for the argument of an ioctl.
func (t *IPCThreadState) argument() []byte { return t.memory[argumentAt:statusAt] }

// ioctl issues a request whose argument, of size bytes, goes in as zero.
func (t *IPCThreadState) ioctl(request abi.Ioctl, size int) error {
	clear(t.argument()[:size])
	return t.request(request)
}

func (t *IPCThreadState) ioctlUint32(request abi.Ioctl, v uint32) error {
	version := abi.Version{ProtocolVersion: int32(v)}
	version.Encode(t.argument())
	return t.request(request)
}

// request issues a request with the argument as it is.
func (t *IPCThreadState) request(request abi.Ioctl) error {
	return t.ps.file.Ioctl(t.key, uint32(request), uintptr(t.address+argumentAt))
}

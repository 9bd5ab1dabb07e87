package binder

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
)

// What libbinder uses.
const (
	// DefaultMaxThreads is how many loopers the driver may ask for, beside
	// the one that StartThreadPool starts.
	DefaultMaxThreads = 15
	// DefaultMaxCallers is how many goroutines outside the pool may be in the
	// driver at once.
	DefaultMaxCallers = 64
)

// DefaultRegionSize is the size of the receive region in bytes: 1 MiB less two
// pages.
func DefaultRegionSize() int { return 1<<20 - 2*os.Getpagesize() }

// ProcessState is this process as a Binder device knows it: a binder_proc with
// its receive region, its threads, its own binders and its references to those
// of others. All methods may be called from any goroutine.
type ProcessState struct {
	device  device.Device
	file    device.File
	mapping device.Mapping
	region  []byte
	base    uint64
	options options

	locals  locals
	proxies proxies
	deaths  deaths
	threads threads

	pool     pool
	loopers  sync.WaitGroup
	spawned  atomic.Int64
	sequence atomic.Int64
	closing  atomic.Bool
	closed   atomic.Bool
	failure  atomic.Pointer[error]
}

type options struct {
	maxThreads  int
	maxCallers  int
	regionSize  int
	onewaySpam  func()
	looperStart func(*IPCThreadState)
	looperExit  func(*IPCThreadState)
}

// Option changes how a device is opened.
type Option func(*options)

// WithMaxThreads sets how many loopers the driver may ask for; the default is
// DefaultMaxThreads.
func WithMaxThreads(n int) Option { return func(o *options) { o.maxThreads = n } }

// WithMaxCallers sets how many goroutines outside the pool may be in the driver
// at once; the default is DefaultMaxCallers.
func WithMaxCallers(n int) Option { return func(o *options) { o.maxCallers = n } }

// WithRegionSize sets the size of the receive region in bytes; the default is
// DefaultRegionSize. Drivers use at most 4 MiB of it.
func WithRegionSize(n int) Option { return func(o *options) { o.regionSize = n } }

// WithOnewaySpam has suspect called, on the sending thread, when the driver
// suspects this process of flooding another with one-way calls.
func WithOnewaySpam(suspect func()) Option { return func(o *options) { o.onewaySpam = suspect } }

// WithLooperHooks has start called on each thread of the pool before it serves,
// and exit after it has served last; both come again with each Suspend.
func WithLooperHooks(start, exit func(*IPCThreadState)) Option {
	return func(o *options) { o.looperStart, o.looperExit = start, exit }
}

// opened holds the one ProcessState of each open device, by the value of the
// device.
var opened sync.Map

// Self is this process's ProcessState of a device, nil if it is not open.
func Self(dev device.Device) *ProcessState {
	ps, _ := opened.Load(dev)
	state, _ := ps.(*ProcessState)
	return state
}

// Open opens a device for this process. A process has one ProcessState a
// device: a second Open of the same device value wraps unix.EBUSY until the
// first is closed (Self finds it). Errors of the device are wrapped; a protocol
// version that this package does not speak wraps errors.ErrUnsupported.
func Open(dev device.Device, opts ...Option) (*ProcessState, error) {
	ps := &ProcessState{device: dev, options: options{
		maxThreads: DefaultMaxThreads,
		maxCallers: DefaultMaxCallers,
		regionSize: DefaultRegionSize(),
	}}
	for _, opt := range opts {
		opt(&ps.options)
	}
	ps.init()
	if _, taken := opened.LoadOrStore(dev, ps); taken {
		return nil, fmt.Errorf("binder: open %s: this process has it open: %w", dev.Name(), unix.EBUSY)
	}
	if err := ps.open(); err != nil {
		opened.Delete(dev)
		return nil, fmt.Errorf("binder: open %s: %w", dev.Name(), err)
	}
	return ps, nil
}

func (ps *ProcessState) init() {
	ps.locals.nodes = map[uint64]*localNode{}
	ps.proxies.byHandle = map[uint32]*proxyEntry{}
	ps.deaths.byCookie = map[uint64]*deathRequest{}
	ps.threads.byKey = map[int32]*IPCThreadState{}
	ps.threads.callers = make(chan struct{}, ps.options.maxCallers)
	ps.threads.left.L = &ps.threads.mu
	ps.pool.changed.L = &ps.pool.mu
	if ps.options.onewaySpam == nil {
		ps.options.onewaySpam = func() {}
	}
	if ps.options.looperStart == nil {
		ps.options.looperStart = func(*IPCThreadState) {}
	}
	if ps.options.looperExit == nil {
		ps.options.looperExit = func(*IPCThreadState) {}
	}
}

func (ps *ProcessState) open() (err error) {
	if ps.file, err = ps.device.Open(0); err != nil {
		return err
	}
	if err = ps.setUp(); err == nil {
		err = ps.mmap()
	}
	if err != nil {
		ps.threads.discard()
		return errors.Join(err, ps.file.Close())
	}
	return nil
}

// setUp asks the driver for its version and tells it about this process.
func (ps *ProcessState) setUp() error {
	t, err := ps.Attach()
	if err != nil {
		return err
	}
	defer t.Detach()
	var version abi.Version
	if err := t.ioctl(abi.BINDER_VERSION, abi.SizeofVersion); err != nil {
		return fmt.Errorf("version: %w", err)
	}
	if version.Decode(t.argument()); version.ProtocolVersion != abi.CurrentProtocolVersion {
		return fmt.Errorf("protocol version %d instead of %d: %w",
			version.ProtocolVersion, abi.CurrentProtocolVersion, errors.ErrUnsupported)
	}
	if err := t.ioctlUint32(abi.BINDER_SET_MAX_THREADS, uint32(ps.options.maxThreads)); err != nil {
		return fmt.Errorf("at most %d threads: %w", ps.options.maxThreads, err)
	}
	err = t.ioctlUint32(abi.BINDER_ENABLE_ONEWAY_SPAM_DETECTION, 1)
	if err != nil && !errors.Is(err, unix.EINVAL) { // unknown before 5.13
		return fmt.Errorf("one-way spam detection: %w", err)
	}
	return nil
}

func (ps *ProcessState) mmap() error {
	m, err := ps.file.Mmap(ps.options.regionSize, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("map %d bytes: %w", ps.options.regionSize, err)
	}
	ps.mapping, ps.region, ps.base = m, m.Bytes(), uint64(m.Addr())
	return nil
}

// Device is what Open opened.
func (ps *ProcessState) Device() device.Device { return ps.device }

// Close ends the pool, waits until the handlers that run have returned, and
// lets go of the device; calls that wait for a reply return ErrClosed. No
// received Parcel or bytes may be used afterwards. It must not be called from a handler,
// which it would wait for. It returns what went wrong in the pool, if anything
// did; a second Close returns ErrClosed.
func (ps *ProcessState) Close() error {
	if !ps.closed.CompareAndSwap(false, true) {
		return ErrClosed
	}
	flushErr := ps.Shutdown()
	ps.loopers.Wait()
	ps.threads.wait()
	ps.threads.discard()
	errs := []error{flushErr, ps.mapping.Unmap(0, ps.mapping.Len()), ps.file.Close()}
	if failure := ps.failure.Load(); failure != nil {
		errs = append(errs, *failure)
	}
	opened.CompareAndDelete(ps.device, ps)
	return errors.Join(errs...)
}

// Shutdown is the first half of Close: calls return ErrClosed from now on, those
// that wait for a reply too, and the pool ends. The receive region stays, for
// those who still read what they received. It may be repeated until Close.
func (ps *ProcessState) Shutdown() error {
	ps.threads.mu.Lock()
	ps.closing.Store(true)
	ps.threads.mu.Unlock()
	ps.pool.close()
	return ps.flush()
}

// flush sends every thread that waits in the driver home, as every close of a
// Binder file does.
func (ps *ProcessState) flush() error {
	dup, err := ps.file.Dup()
	if err != nil {
		return fmt.Errorf("binder: wake the threads: %w", err)
	}
	return dup.Close()
}

// fail remembers the first thing that went wrong in the pool, for Close.
func (ps *ProcessState) fail(err error) { ps.failure.CompareAndSwap(nil, &err) }

// bytes are n bytes of the receive region from an address that the driver
// gave.
func (ps *ProcessState) bytes(address, n uint64) ([]byte, error) {
	at := address - ps.base
	if size := uint64(len(ps.region)); at > size || n > size-at {
		return nil, fmt.Errorf("binder: driver names %d bytes at %#x, outside the region: %w", n, address, unix.EFAULT)
	}
	return ps.region[at : at+n : at+n], nil
}

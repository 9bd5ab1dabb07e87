package binder

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/parcel"
)

// Proxy stands for an object of another process (libbinder's BpBinder). There
// is one for each handle; Close counts against the times it was read.
type Proxy struct {
	ps        *ProcessState
	handle    uint32
	stability parcel.Stability
	dead      atomic.Bool
	closed    atomic.Bool
	cleanup   runtime.Cleanup
	death     atomic.Pointer[deathRequest]
}

// proxies are the process's references to objects of others.
type proxies struct {
	mu       sync.Mutex
	byHandle map[uint32]*proxyEntry
}

// proxyEntry finds the Proxy of a handle without keeping it alive.
type proxyEntry struct {
	proxy weak.Pointer[Proxy]
	users int
}

// ContextObject is the object behind handle 0, the service manager. It is asked
// whether it is there: without one the error is a DeadObject.
func (ps *ProcessState) ContextObject() (*Proxy, error) {
	err := ps.call(func(t *IPCThreadState) error {
		return t.transact(0, PingTransaction, nil, nil, 0, ps)
	})
	if err != nil {
		return nil, fmt.Errorf("binder: ping the context manager: %w", err)
	}
	return ps.proxy(0, parcel.StabilitySystem)
}

// proxy is the Proxy of a handle, with one user more. The driver counts one
// reference for each Proxy, however many use it.
func (ps *ProcessState) proxy(handle uint32, stability parcel.Stability) (*Proxy, error) {
	ps.proxies.mu.Lock()
	defer ps.proxies.mu.Unlock()
	if e := ps.proxies.byHandle[handle]; e != nil {
		if p := e.proxy.Value(); p != nil {
			e.users++
			return p, nil
		}
	}
	if err := ps.do(func(t *IPCThreadState) error { return t.takeReference(handle) }); err != nil {
		return nil, fmt.Errorf("binder: take handle %d: %w", handle, err)
	}
	p := &Proxy{ps: ps, handle: handle, stability: stability}
	e := &proxyEntry{proxy: weak.Make(p), users: 1}
	ps.proxies.byHandle[handle] = e
	p.cleanup = runtime.AddCleanup(p, func(e *proxyEntry) { ps.forgetProxy(handle, e) }, e)
	return p, nil
}

// takeReference and giveReference tell the driver at once, and not with the
// next write: another thread may use the handle, or give it up, before that.
func (t *IPCThreadState) takeReference(handle uint32) error {
	if err := t.queueHandle(abi.BC_INCREFS, handle); err != nil {
		return err
	}
	if err := t.queueHandle(abi.BC_ACQUIRE, handle); err != nil {
		return err
	}
	return t.flush()
}

func (t *IPCThreadState) giveReference(handle uint32) error {
	if err := t.queueHandle(abi.BC_RELEASE, handle); err != nil {
		return err
	}
	if err := t.queueHandle(abi.BC_DECREFS, handle); err != nil {
		return err
	}
	return t.flush()
}

// forgetProxy gives up the reference of a Proxy that was collected without
// Close. Meanwhile there may be a new Proxy of the same handle, with a reference
// of its own.
func (ps *ProcessState) forgetProxy(handle uint32, e *proxyEntry) {
	ps.proxies.mu.Lock()
	defer ps.proxies.mu.Unlock()
	if ps.proxies.byHandle[handle] == e {
		delete(ps.proxies.byHandle, handle)
	}
	ps.do(func(t *IPCThreadState) error { return t.giveReference(handle) })
}

// Handle is the number that the driver knows the object by in this process.
func (p *Proxy) Handle() uint32 { return p.handle }

// Transact calls the object. See IBinder.
func (p *Proxy) Transact(code uint32, data, reply *parcel.Parcel, flags abi.TransactionFlags) error {
	if p.closed.Load() {
		return ErrClosed
	}
	if p.dead.Load() {
		return DeadObject
	}
	err := p.ps.call(func(t *IPCThreadState) error {
		return t.transact(p.handle, code, data, reply, flags, p.ps)
	})
	if e, ok := err.(*TransactionError); ok && e.Return == abi.BR_DEAD_REPLY {
		p.dead.Store(true)
	}
	runtime.KeepAlive(p) // its handle was in use
	return err
}

// Ping asks whether the object answers.
func (p *Proxy) Ping() error { return p.Transact(PingTransaction, nil, nil, 0) }

// InterfaceDescriptor asks the object for the name of its interface.
func (p *Proxy) InterfaceDescriptor() (string, error) {
	var reply parcel.Parcel
	defer reply.Reset()
	if err := p.Transact(InterfaceTransaction, nil, &reply, 0); err != nil {
		return "", err
	}
	return reply.ReadString16()
}

// Alive is false once a call or a death notice has shown that the object's
// process is gone.
func (p *Proxy) Alive() bool { return !p.dead.Load() }

// retain counts one user more, unless there are none left.
func (p *Proxy) retain() bool {
	p.ps.proxies.mu.Lock()
	defer p.ps.proxies.mu.Unlock()
	if p.closed.Load() {
		return false
	}
	p.ps.proxies.byHandle[p.handle].users++
	return true
}

// Close gives back the reference that reading the Proxy from a Parcel took; the
// last gives the driver's back, and calls wrap ErrClosed from then on. A Proxy
// that is not closed gives it back when it is collected. Death links end.
func (p *Proxy) Close() error {
	p.ps.proxies.mu.Lock()
	defer p.ps.proxies.mu.Unlock()
	e := p.ps.proxies.byHandle[p.handle]
	if p.closed.Load() || e == nil || e.proxy.Value() != p {
		return ErrClosed
	}
	if e.users--; e.users > 0 {
		return nil
	}
	p.closed.Store(true)
	p.cleanup.Stop()
	delete(p.ps.proxies.byHandle, p.handle)
	return p.ps.do(func(t *IPCThreadState) error {
		if err := t.clearDeath(p); err != nil {
			return err
		}
		return t.giveReference(p.handle)
	})
}

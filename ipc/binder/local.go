package binder

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/parcel"
)

// Handler serves the calls of a Binder.
type Handler interface {
	// OnTransact serves one call: it reads call.Data and writes call.Reply,
	// both good until it returns. A *parcel.Exception that it returns becomes
	// the reply; of other errors the caller gets the Status, or the one that
	// fits best. Several calls may run at once, each on a thread of its own.
	// A panic ends the process, and its callers get DeadObject.
	OnTransact(call *Call) error
}

// HandlerFunc is a function that serves as Handler.
type HandlerFunc func(call *Call) error

// OnTransact calls f.
func (f HandlerFunc) OnTransact(call *Call) error { return f(call) }

// Binder is an object of this process that others can call (libbinder's
// BBinder). It is an IBinder as well: a call from this process goes straight
// to the handler.
type Binder struct {
	ps         *ProcessState
	id         uint64
	descriptor string
	handler    Handler
	bytes      BytesHandler
	acceptFDs  bool
	stability  parcel.Stability
}

// NewBinder makes an object with an interface of the given name. It lives as
// long as this process or a Proxy in another one refers to it.
func (ps *ProcessState) NewBinder(descriptor string, h Handler) *Binder {
	return ps.locals.add(&Binder{ps: ps, descriptor: descriptor, handler: h,
		acceptFDs: true, stability: parcel.StabilitySystem})
}

// flat is how the driver is told of the object.
func (b *Binder) flat() abi.FlatBinderObject {
	flags := minimumPriority
	if b.acceptFDs {
		flags |= abi.FLAT_BINDER_FLAG_ACCEPTS_FDS
	}
	return abi.FlatBinderObject{Type: abi.BINDER_TYPE_BINDER, Flags: flags, Binder: b.id, Cookie: b.id}
}

// Transact calls the handler on the calling goroutine.
func (b *Binder) Transact(code uint32, data, reply *parcel.Parcel, flags abi.TransactionFlags) error {
	if b.handler == nil {
		return fmt.Errorf("binder: a call with a Parcel to an object that serves bytes: %w", InvalidOperation)
	}
	if data == nil {
		data = new(parcel.Parcel)
	}
	if reply == nil {
		reply = new(parcel.Parcel)
	}
	data.SetPosition(0)
	reply.Reset()
	err := b.onTransact(&Call{Code: code, Flags: flags, Data: data, Reply: reply, ps: b.ps,
		SenderPID: int32(os.Getpid()), SenderEUID: uint32(os.Geteuid())})
	if flags&abi.TF_ONE_WAY != 0 {
		return nil
	}
	reply.SetPosition(0)
	return err
}

// Ping answers at once.
func (b *Binder) Ping() error { return nil }

// InterfaceDescriptor is the name that NewBinder was given.
func (b *Binder) InterfaceDescriptor() (string, error) { return b.descriptor, nil }

// LinkToDeath wraps InvalidOperation: with the object this process dies, too.
func (b *Binder) LinkToDeath(func()) (*DeathLink, error) {
	return nil, fmt.Errorf("binder: death of an object of this process: %w", InvalidOperation)
}

// Alive is true.
func (b *Binder) Alive() bool { return true }

// Close does nothing: the object lives as long as somebody refers to it.
func (b *Binder) Close() error { return nil }

// onTransact serves what every object answers, and leaves the rest to the
// handler. An exception goes into the reply.
func (b *Binder) onTransact(call *Call) error {
	switch call.Code {
	case PingTransaction, SyspropsTransaction:
		return nil
	case InterfaceTransaction:
		call.Reply.WriteString16(b.descriptor)
		return nil
	case ExtensionTransaction:
		call.Reply.WriteNullBinder()
		return nil
	case DebugPIDTransaction:
		call.Reply.WriteInt32(int32(os.Getpid()))
		return nil
	}
	if err := b.handler.OnTransact(call); err != nil {
		return replyException(call.Reply, err)
	}
	return nil
}

// replyException makes an exception the reply, and passes other errors on.
func replyException(reply *parcel.Parcel, err error) error {
	var exception *parcel.Exception
	if !errors.As(err, &exception) {
		return err
	}
	reply.Reset()
	reply.WriteException(exception)
	return nil
}

// locals are the process's own binders by the number that stands for them in
// the driver. A Binder is found as long as it lives, and kept alive as long as
// the driver holds a strong reference.
type locals struct {
	mu    sync.RWMutex
	last  uint64
	nodes map[uint64]*localNode
	// manager is the object behind handle 0, if this process has it. The
	// driver calls it 0 and never counts references to it.
	manager *Binder
}

type localNode struct {
	id     uint64
	binder weak.Pointer[Binder]
	held   atomic.Pointer[Binder]
	strong int // guarded by locals.mu
}

// object is the Binder, nil if it is gone for good.
func (n *localNode) object() *Binder {
	if n == nil {
		return nil
	}
	if b := n.held.Load(); b != nil {
		return b
	}
	return n.binder.Value()
}

func (l *locals) add(b *Binder) *Binder {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	b.id = l.last
	l.nodes[b.id] = &localNode{id: b.id, binder: weak.Make(b)}
	runtime.AddCleanup(b, l.forget, b.id)
	return b
}

func (l *locals) forget(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.nodes, id)
}

// find is the Binder that a number stands for, nil if there is none.
func (l *locals) find(id uint64) *Binder {
	if id == 0 {
		l.mu.RLock()
		defer l.mu.RUnlock()
		return l.manager
	}
	return l.node(id).object()
}

func (l *locals) node(id uint64) *localNode {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.nodes[id]
}

// object is the Binder of the process that a number stands for, nil if there is none. A
// thread is mostly called for the one that it was called for last; numbers are not
// used again.
func (t *IPCThreadState) object(id uint64) *Binder {
	if id == 0 {
		return t.ps.locals.find(id)
	}
	if t.called == nil || t.called.id != id {
		t.called = t.ps.locals.node(id)
	}
	return t.called.object()
}

// acquire and release count, because the two can be read by different loopers
// and be acted on in either order.
func (l *locals) acquire(id uint64) { l.count(id, 1) }

func (l *locals) release(id uint64) { l.count(id, -1) }

func (l *locals) count(id uint64, by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.nodes[id]
	if n == nil {
		return
	}
	n.strong += by
	if n.strong > 0 {
		n.held.Store(n.binder.Value())
	} else {
		n.held.Store(nil)
	}
}

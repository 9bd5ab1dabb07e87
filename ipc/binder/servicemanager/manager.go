package servicemanager

import (
	"fmt"
	"slices"
	"sync"

	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/parcel"
)

// Request is what a Policy decides about.
type Request struct {
	// Operation is "add", "find" or "list".
	Operation string
	// Name is the service's, empty for "list".
	Name string
	// PID and EUID are the caller's, as the driver knows them.
	PID  int32
	EUID uint32
}

// Policy says who may do what; an error refuses, and the caller gets it as a
// security exception.
type Policy func(Request) error

// Manager is the service manager's server.
type Manager struct {
	ps     *binder.ProcessState
	codes  codes
	policy Policy

	mu       sync.Mutex
	services map[string]*service
}

type service struct {
	binder   binder.IBinder
	link     *binder.DeathLink
	priority int32
}

// ManagerOption changes a Manager.
type ManagerOption func(*Manager)

// WithPolicy sets the policy; by default everybody may do everything.
func WithPolicy(p Policy) ManagerOption { return func(m *Manager) { m.policy = p } }

// ServeRelease sets whose transaction codes the Manager answers to; the default
// is Android14.
func ServeRelease(r Release) ManagerOption { return func(m *Manager) { m.codes = r.codes() } }

// Become makes the process the service manager of its device. It serves once
// the process's thread pool runs. Errors wrap unix.EBUSY if there is one.
func Become(ps *binder.ProcessState, opts ...ManagerOption) (*Manager, error) {
	m := &Manager{ps: ps, codes: Android14.codes(), services: map[string]*service{},
		policy: func(Request) error { return nil }}
	for _, opt := range opts {
		opt(m)
	}
	if err := ps.BecomeContextManager(ps.NewBinder(Descriptor, m)); err != nil {
		return nil, fmt.Errorf("service manager: %w", err)
	}
	return m, nil
}

// Add registers an object of the manager's own process, which cannot call
// itself through the driver. A name that AddService would refuse wraps
// binder.BadValue.
func (m *Manager) Add(name string, b *binder.Binder) error {
	if !validName(name) {
		return fmt.Errorf("invalid service name %q: %w", name, binder.BadValue)
	}
	return m.register(name, &service{binder: b, priority: PriorityDefault})
}

// OnTransact serves a call of the interface.
func (m *Manager) OnTransact(call *binder.Call) error {
	if err := call.Data.EnforceInterface(Descriptor); err != nil {
		return err
	}
	switch call.Code {
	case m.codes.get, m.codes.check:
		return m.find(call)
	case m.codes.add:
		return m.add(call)
	case m.codes.list:
		return m.list(call)
	}
	return binder.UnknownTransaction
}

func (m *Manager) allow(call *binder.Call, operation, name string) error {
	err := m.policy(Request{Operation: operation, Name: name, PID: call.SenderPID, EUID: call.SenderEUID})
	if err != nil {
		return &parcel.Exception{Code: parcel.ExceptionSecurity, Message: err.Error()}
	}
	return nil
}

// find answers with the service, or with null: to a caller, one that he may not
// see is one that is not there.
func (m *Manager) find(call *binder.Call) error {
	name, err := call.Data.ReadString16()
	if err != nil {
		return err
	}
	var found binder.IBinder
	if m.allow(call, "find", name) == nil {
		found = m.lookup(name)
	}
	call.Reply.WriteNoException()
	binder.WriteStrongBinder(call.Reply, found)
	return nil
}

func (m *Manager) lookup(name string) binder.IBinder {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.services[name]; s != nil {
		return s.binder
	}
	return nil
}

func (m *Manager) add(call *binder.Call) error {
	name, err := call.Data.ReadString16()
	if err != nil {
		return err
	}
	b, err := m.ps.ReadStrongBinder(call.Data)
	if err != nil {
		return illegalArgument("service %q: %v", name, err)
	}
	if err := m.addBinder(call, name, b); err != nil {
		b.Close()
		return err
	}
	call.Reply.WriteNoException()
	return nil
}

func (m *Manager) addBinder(call *binder.Call, name string, b binder.IBinder) error {
	if _, err := call.Data.ReadBool(); err != nil { // allowIsolated: there are no isolated apps
		return err
	}
	priority, err := call.Data.ReadInt32()
	if err != nil {
		return err
	}
	if !validName(name) {
		return illegalArgument("invalid service name %q", name)
	}
	if err := m.allow(call, "add", name); err != nil {
		return err
	}
	return m.register(name, &service{binder: b, priority: priority})
}

func illegalArgument(format string, args ...any) error {
	return &parcel.Exception{Code: parcel.ExceptionIllegalArgument, Message: fmt.Sprintf(format, args...)}
}

// register puts a service in place of one of the same name, until it dies.
func (m *Manager) register(name string, s *service) error {
	if _, remote := s.binder.(*binder.Proxy); remote {
		link, err := s.binder.LinkToDeath(func() { m.remove(name, s) })
		if err != nil {
			return &parcel.Exception{Code: parcel.ExceptionIllegalState, Message: err.Error()}
		}
		s.link = link
	}
	m.mu.Lock()
	old := m.services[name]
	m.services[name] = s
	m.mu.Unlock()
	if old != nil {
		old.drop()
	}
	return nil
}

// remove forgets a service that died.
func (m *Manager) remove(name string, s *service) {
	m.mu.Lock()
	current := m.services[name] == s
	if current {
		delete(m.services, name)
	}
	m.mu.Unlock()
	if current {
		s.drop()
	}
}

func (s *service) drop() {
	if s.link != nil {
		s.link.Unlink()
	}
	s.binder.Close()
}

func (m *Manager) list(call *binder.Call) error {
	mask, err := call.Data.ReadInt32()
	if err != nil {
		return err
	}
	if err := m.allow(call, "list", ""); err != nil {
		return err
	}
	call.Reply.WriteNoException()
	call.Reply.WriteString16Array(m.names(mask))
	return nil
}

// names are the services with any of the priorities, in alphabetical order.
func (m *Manager) names(mask int32) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := []string{}
	for name, s := range m.services {
		if s.priority&mask != 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

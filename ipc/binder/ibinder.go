package binder

import (
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/parcel"
)

// IBinder is an object that can be called through Binder, whether it lives in
// this process (Binder) or in another one (Proxy).
type IBinder interface {
	// Transact calls the object: data, nil for none, is sent with code, and the
	// answer goes to reply, nil to drop it. Reset reply when it is done with:
	// it holds a buffer of the receive region. With TF_ONE_WAY Transact returns
	// once the driver has taken the call, and reply stays untouched.
	//
	// Errors are a Status that the object answered, or a *TransactionError
	// when there was no answer; both answer errors.Is for a Status.
	Transact(code uint32, data, reply *parcel.Parcel, flags abi.TransactionFlags) error
	// Ping asks whether the object answers.
	Ping() error
	// InterfaceDescriptor asks for the name of the object's interface.
	InterfaceDescriptor() (string, error)
	// LinkToDeath has recipient called once when the process of the object
	// dies.
	LinkToDeath(recipient func()) (*DeathLink, error)
	// Alive is false once the object is known to be dead.
	Alive() bool
	// Close gives the reference back. Other references to the object in this
	// process stay good.
	Close() error
}

// Transaction codes. Interfaces number theirs from FirstCallTransaction.
const (
	FirstCallTransaction uint32 = 0x00000001
	LastCallTransaction  uint32 = 0x00ffffff

	PingTransaction      uint32 = '_'<<24 | 'P'<<16 | 'N'<<8 | 'G'
	InterfaceTransaction uint32 = '_'<<24 | 'N'<<16 | 'T'<<8 | 'F'
	DumpTransaction      uint32 = '_'<<24 | 'D'<<16 | 'M'<<8 | 'P'
	ShellTransaction     uint32 = '_'<<24 | 'C'<<16 | 'M'<<8 | 'D'
	SyspropsTransaction  uint32 = '_'<<24 | 'S'<<16 | 'P'<<8 | 'R'
	ExtensionTransaction uint32 = '_'<<24 | 'E'<<16 | 'X'<<8 | 'T'
	DebugPIDTransaction  uint32 = '_'<<24 | 'P'<<16 | 'I'<<8 | 'D'
)

// minimumPriority is the nice value that libbinder gives its own binders.
const minimumPriority abi.ObjectFlags = 19

// WriteStrongBinder writes a reference to b into a Parcel, which keeps b open
// until its Reset; nil and a closed Proxy are the null reference. The Parcel must be sent through the ProcessState that b belongs
// to: handles mean nothing to another.
func WriteStrongBinder(p *parcel.Parcel, b IBinder) {
	switch b := b.(type) {
	case *Binder:
		p.WriteBinder(b.flat(), b.stability, b)
	case *Proxy:
		if !b.retain() {
			p.WriteNullBinder()
			return
		}
		obj := abi.FlatBinderObject{Type: abi.BINDER_TYPE_HANDLE, Binder: uint64(b.handle)}
		p.WriteBinder(obj, b.stability, b)
	default:
		p.WriteNullBinder()
	}
}

// ReadStrongBinder reads a reference from a received Parcel: a *Binder where
// the object is this process's own, a *Proxy otherwise, which the caller is to
// Close. A null reference wraps parcel.ErrNull.
func (ps *ProcessState) ReadStrongBinder(p *parcel.Parcel) (IBinder, error) {
	obj, stability, err := p.ReadBinder()
	if err != nil {
		return nil, err
	}
	if obj.Type == abi.BINDER_TYPE_HANDLE {
		return ps.proxy(uint32(obj.Binder), stability)
	}
	b := ps.locals.find(obj.Cookie)
	if b == nil {
		return nil, DeadObject
	}
	return b, nil
}

package parcel

import (
	"fmt"
	"io"
	"slices"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// Stability is what libbinder writes behind every binder: for how long its
// interface is promised not to change.
type Stability int32

// The levels, as Android 12 and later write them.
const (
	StabilityUndeclared Stability = 0
	StabilityVendor     Stability = 3
	StabilitySystem     Stability = 12
	StabilityVINTF      Stability = 63
)

// WriteBinder appends a reference to a binder: a strong node of the writer
// (BINDER_TYPE_BINDER) or a handle of his (BINDER_TYPE_HANDLE). owner is the
// writer's own reference to it, which p closes in Reset.
func (p *Parcel) WriteBinder(obj abi.FlatBinderObject, stability Stability, owner io.Closer) {
	p.kept = append(p.kept, owner)
	p.writeObject(obj)
	p.WriteInt32(int32(stability))
}

// WriteNullBinder appends the reference to no binder.
func (p *Parcel) WriteNullBinder() {
	null := abi.FlatBinderObject{Type: abi.BINDER_TYPE_BINDER}
	null.Encode(p.grow(abi.SizeofFlatBinderObject))
	p.WriteInt32(int32(StabilityUndeclared))
}

// ReadBinder reads a reference to a binder as the driver translated it for the
// receiver. The null reference wraps ErrNull and is consumed.
func (p *Parcel) ReadBinder() (abi.FlatBinderObject, Stability, error) {
	obj, err := p.readBinder()
	if err != nil && !isNull(err) {
		return abi.FlatBinderObject{}, 0, fmt.Errorf("binder: %w", err)
	}
	stability, stabilityErr := p.ReadInt32()
	if stabilityErr != nil {
		return abi.FlatBinderObject{}, 0, fmt.Errorf("binder's stability: %w", stabilityErr)
	}
	return obj, Stability(stability), err
}

func (p *Parcel) readBinder() (abi.FlatBinderObject, error) {
	var obj abi.FlatBinderObject
	if _, found := p.findObject(); !found {
		return obj, p.readNullBinder()
	}
	obj, err := p.readObject()
	if err != nil {
		return obj, err
	}
	if obj.Type != abi.BINDER_TYPE_BINDER && obj.Type != abi.BINDER_TYPE_HANDLE {
		return obj, fmt.Errorf("%w: %v instead of a strong binder", ErrInvalid, obj.Type)
	}
	return obj, nil
}

// readNullBinder reads what only looks like an object. A null reference is not
// in the table of objects; anything else that is not could be forged.
func (p *Parcel) readNullBinder() error {
	b, err := p.next(abi.SizeofFlatBinderObject)
	if err != nil {
		return err
	}
	var obj abi.FlatBinderObject
	obj.Decode(b)
	if obj.Binder != 0 || obj.Cookie != 0 {
		return fmt.Errorf("%w: an object that the driver did not see", ErrInvalid)
	}
	return fmt.Errorf("%w instead of a binder", ErrNull)
}

// WriteFileDescriptor appends a descriptor, which the receiver gets a duplicate
// of. If own is set, Reset closes fd; otherwise it must stay open until the
// Parcel has been sent.
func (p *Parcel) WriteFileDescriptor(fd int, own bool) {
	obj := abi.FlatBinderObject{Type: abi.BINDER_TYPE_FD, Binder: uint64(uint32(fd))}
	if own {
		p.owned = append(p.owned, fd)
		obj.Cookie = 1
	}
	p.writeObject(obj)
}

// ReadFileDescriptor reads a descriptor, which belongs to the Parcel and is
// closed by Reset.
func (p *Parcel) ReadFileDescriptor() (int, error) {
	if _, found := p.findObject(); !found {
		return -1, fmt.Errorf("descriptor: %w: no object at %d", ErrInvalid, p.pos)
	}
	start := p.pos
	obj, err := p.readObject()
	if err != nil {
		return -1, fmt.Errorf("descriptor: %w", err)
	}
	fd, ok := p.descriptorAt(start)
	if !ok {
		return -1, fmt.Errorf("descriptor: %w: %v", ErrInvalid, obj.Type)
	}
	return fd, nil
}

// ReadUniqueFileDescriptor reads a descriptor and returns a duplicate of it,
// close-on-exec, which belongs to the caller.
func (p *Parcel) ReadUniqueFileDescriptor() (int, error) {
	fd, err := p.ReadFileDescriptor()
	if err != nil {
		return -1, err
	}
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("duplicate descriptor %d of a parcel: %w", fd, err)
	}
	return dup, nil
}

func (p *Parcel) writeObject(obj abi.FlatBinderObject) {
	p.objects = append(p.objects, uint64(len(p.data)))
	obj.Encode(p.grow(abi.SizeofFlatBinderObject))
}

// readObject reads the object at the position, which findObject found.
func (p *Parcel) readObject() (abi.FlatBinderObject, error) {
	var obj abi.FlatBinderObject
	if p.Remaining() < abi.SizeofFlatBinderObject {
		return obj, fmt.Errorf("%w: an object at %d of %d", ErrShort, p.pos, len(p.data))
	}
	obj.Decode(p.data[p.pos:])
	p.pos += abi.SizeofFlatBinderObject
	return obj, nil
}

// findObject finds the position in the table of objects.
func (p *Parcel) findObject() (index int, found bool) {
	return slices.BinarySearch(p.objects, uint64(p.pos))
}

// overlapsObject says whether an object has bytes in [start, end). Objects are
// in ascending order and disjoint, so the last that begins before end decides.
func (p *Parcel) overlapsObject(start, end int) bool {
	after, _ := slices.BinarySearch(p.objects, uint64(end))
	if after == 0 {
		return false
	}
	at := p.objects[after-1]
	if at+4 > uint64(len(p.data)) {
		return false
	}
	size := abi.ObjectType(order.Uint32(p.data[at:])).Size()
	return at+uint64(size) > uint64(start)
}

// descriptorAt is the descriptor in the object at a position, if there is one.
func (p *Parcel) descriptorAt(at int) (fd int, ok bool) {
	if at < 0 || at > len(p.data)-abi.SizeofFlatBinderObject {
		return -1, false
	}
	var obj abi.FlatBinderObject
	obj.Decode(p.data[at:])
	return int(int32(obj.Binder)), obj.Type == abi.BINDER_TYPE_FD
}

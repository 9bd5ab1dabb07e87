package driver

import (
	"encoding/binary"
	"errors"
	"syscall"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/driver/alloc"
	"ipcbench/ipc/binder/driver/arena"
)

// translation turns the objects of a buffer from what they are to the sender
// into what they are to the receiver. It works on the receiver's copy, which
// the sender cannot change any more.
type translation struct {
	t       *Thread
	x       arena.Ref[transaction]
	to      arena.Ref[proc]
	block   []byte // the buffer
	data    []byte
	offsets []byte
	base    uint64 // of the buffer, as the receiver sees it

	sg, sgEnd uint64 // the room that is left for buffer objects
	last      fix    // the last object that a parent was fixed up for
	files     uint32
}

// fix is the state of the rule that parents are fixed up in ascending order.
type fix struct {
	valid  bool
	offset uint64 // of the object in the payload
	min    uint64 // the first byte of it that may still be fixed up
}

// run translates object after object. What was translated is counted in the
// buffer together with the reference that it takes, so that exactly this is
// given back.
func (tl *translation) run() failure {
	min := uint64(0)
	for i := 0; i < len(tl.offsets); i += 8 {
		off := binary.NativeEndian.Uint64(tl.offsets[i:])
		size, f := tl.objectAt(off, min)
		if f.code != 0 {
			return f
		}
		min = off + uint64(size)
		tl.t.lock()
		f = tl.object(tl.data[off:min], off, uint64(i/8))
		if f.code == 0 {
			tl.x.In(tl.t.d.a).buffer.Edit(tl.t.tx).Objects++
		}
		if f.code != 0 || tl.t.tx.Full() {
			tl.t.unlock()
		}
		if f.code != 0 {
			return f
		}
	}
	tl.t.unlock()
	return failure{}
}

// objectAt checks that a whole object of a known type lies at the offset and
// behind the one before.
func (tl *translation) objectAt(off, min uint64) (size int, f failure) {
	// The kernel copies what lies before an object first, and says of an
	// impossible length what it says of a bad address.
	if off < min || off > uint64(len(tl.data)) {
		return 0, failed(syscall.EFAULT)
	}
	size, ok := objectSize(tl.data, off)
	if !ok {
		return 0, failed(syscall.EINVAL)
	}
	return size, failure{}
}

func objectSize(data []byte, off uint64) (size int, ok bool) {
	if off%4 != 0 || off > uint64(len(data)) || len(data)-int(off) < 4 {
		return 0, false
	}
	size = abi.ObjectType(binary.NativeEndian.Uint32(data[off:])).Size()
	return size, size != 0 && len(data)-int(off) >= size
}

// object translates one object. It is entered with the lock held.
func (tl *translation) object(b []byte, off, index uint64) failure {
	switch abi.ObjectType(binary.NativeEndian.Uint32(b)) {
	case abi.BINDER_TYPE_BINDER, abi.BINDER_TYPE_WEAK_BINDER:
		return tl.binder(b)
	case abi.BINDER_TYPE_HANDLE, abi.BINDER_TYPE_WEAK_HANDLE:
		return tl.handle(b)
	case abi.BINDER_TYPE_FD:
		var o abi.FDObject
		o.Decode(b)
		return tl.file(int32(o.FD), off+8)
	case abi.BINDER_TYPE_FDA:
		return tl.fileArray(b, index)
	default:
		return tl.buffer(b, off, index)
	}
}

// binder publishes the sender's own object: the receiver gets a handle.
func (tl *translation) binder(b []byte) failure {
	t, d := tl.t, tl.t.d
	var o abi.FlatBinderObject
	o.Decode(b)
	n := d.findNode(t.proc, o.Binder)
	if n == 0 {
		var err error
		if n, err = d.newNode(t.tx, t.proc, &o); err != nil {
			return failed(syscall.ENOMEM)
		}
	}
	if n.In(d.a).rest.cookie != o.Cookie {
		return failed(syscall.EINVAL)
	}
	strong := o.Type == abi.BINDER_TYPE_BINDER
	r, err := d.incRefForNode(t.tx, tl.to, n, strong, t.ref)
	if err != nil {
		return refFailure(err)
	}
	o.Type = handleType(strong)
	o.Binder, o.Cookie = uint64(r.In(d.a).desc), 0
	o.Encode(b)
	return failure{}
}

// handle passes on somebody's object: its owner gets it as its own, anybody
// else a handle.
func (tl *translation) handle(b []byte) failure {
	t, d := tl.t, tl.t.d
	var o abi.FlatBinderObject
	o.Decode(b)
	strong := o.Type == abi.BINDER_TYPE_HANDLE
	r := d.findRef(t.proc, uint32(o.Binder), strong)
	if r == 0 {
		return failed(syscall.EINVAL)
	}
	n := r.In(d.a).node
	if p := n.In(d.a); p.proc == tl.to {
		o.Type = abi.BINDER_TYPE_WEAK_BINDER
		if strong {
			o.Type = abi.BINDER_TYPE_BINDER
		}
		o.Binder, o.Cookie = p.rest.ptr, p.rest.cookie
		if err := d.incNode(t.tx, n, strong, false, 0); err != nil {
			return refFailure(err)
		}
	} else {
		other, err := d.incRefForNode(t.tx, tl.to, n, strong, 0)
		if err != nil {
			return refFailure(err)
		}
		o.Binder, o.Cookie = uint64(other.In(d.a).desc), 0
	}
	o.Encode(b)
	return failure{}
}

func handleType(strong bool) abi.ObjectType {
	if strong {
		return abi.BINDER_TYPE_HANDLE
	}
	return abi.BINDER_TYPE_WEAK_HANDLE
}

func refFailure(err error) failure {
	if errors.Is(err, arena.ErrFull) {
		return failed(syscall.ENOMEM)
	}
	return failed(syscall.EINVAL)
}

// buffer copies bytes that travel beside the payload behind it and writes
// their address into their parent.
func (tl *translation) buffer(b []byte, off, index uint64) failure {
	var o abi.BufferObject
	o.Decode(b)
	if o.Length > tl.sgEnd-tl.sg {
		return failed(syscall.EINVAL)
	}
	tl.t.unlock()
	if err := tl.t.task.CopyFromUser(tl.block[tl.sg:][:o.Length], o.Buffer); err != nil {
		tl.t.lock()
		return copyFailure(err)
	}
	tl.t.copies.PayloadFromUser += o.Length
	tl.t.lock()
	o.Buffer = tl.base + tl.sg
	tl.sg += align8(o.Length)
	if o.Flags&abi.BINDER_BUFFER_FLAG_HAS_PARENT != 0 {
		parent, at, ok := tl.parent(o.Parent, index)
		if !ok || !tl.ascending(at, o.ParentOffset) || o.ParentOffset > parent.Length || parent.Length-o.ParentOffset < 8 {
			return failed(syscall.EINVAL)
		}
		binary.NativeEndian.PutUint64(tl.inside(parent)[o.ParentOffset:], o.Buffer)
	}
	o.Encode(b)
	tl.last = fix{valid: true, offset: off}
	return failure{}
}

// parent is the buffer object that an earlier offset names.
func (tl *translation) parent(i, before uint64) (o abi.BufferObject, off uint64, ok bool) {
	if i >= before {
		return o, 0, false
	}
	off = binary.NativeEndian.Uint64(tl.offsets[i*8:])
	size, ok := objectSize(tl.data, off)
	if !ok || size != abi.SizeofBufferObject {
		return o, 0, false
	}
	o.Decode(tl.data[off:])
	return o, off, o.Type == abi.BINDER_TYPE_PTR
}

// ascending says whether the parent at an offset may be fixed up at min: it
// must be the last object, or one that the last is nested in, and nothing
// behind min may have been fixed up.
func (tl *translation) ascending(parent, min uint64) bool {
	if !tl.last.valid {
		return false
	}
	at, lowest := tl.last.offset, tl.last.min
	for at != parent {
		var o abi.BufferObject
		o.Decode(tl.data[at:])
		if o.Flags&abi.BINDER_BUFFER_FLAG_HAS_PARENT == 0 {
			return false
		}
		lowest = o.ParentOffset + 8
		at = binary.NativeEndian.Uint64(tl.offsets[o.Parent*8:])
	}
	return min >= lowest
}

// inside is the copy of a buffer object's bytes.
func (tl *translation) inside(o abi.BufferObject) []byte {
	return tl.block[o.Buffer-tl.base:][:o.Length]
}

// fileArray sends the descriptors that lie inside a parent buffer.
func (tl *translation) fileArray(b []byte, index uint64) failure {
	var o abi.FDArrayObject
	o.Decode(b)
	parent, at, ok := tl.parent(o.Parent, index)
	if !ok || !tl.ascending(at, o.ParentOffset) || o.NumFDs > parent.Length/4 ||
		o.ParentOffset > parent.Length || parent.Length-o.ParentOffset < o.NumFDs*4 || (parent.Buffer+o.ParentOffset)%4 != 0 {
		return failed(syscall.EINVAL)
	}
	array := tl.inside(parent)[o.ParentOffset:]
	start := parent.Buffer - tl.base + o.ParentOffset
	for i := uint64(0); i < o.NumFDs; i++ {
		fd := int32(binary.NativeEndian.Uint32(array[i*4:]))
		if f := tl.file(fd, start+i*4); f.code != 0 {
			return f
		}
	}
	tl.last = fix{valid: true, offset: at, min: o.ParentOffset + o.NumFDs*4}
	return failure{}
}

// file sends one descriptor, whose number the receiver will find at an offset
// of the buffer.
func (tl *translation) file(fd int32, offset uint64) failure {
	d, tx := tl.t.d, tl.t.tx
	p := tl.x.In(d.a)
	allowed := p.reply && p.replyTo.In(d.a).flags&abi.TF_ACCEPT_FDS != 0
	if !p.reply {
		allowed = arena.Ref[node](p.buffer.In(d.a).Node).In(d.a).acceptFDs
	}
	if !allowed {
		return failed(syscall.EPERM)
	}
	key := FileKey{p.id, tl.files}
	to := Owner(p.toProc.In(d.a).owner)
	tl.t.unlock()
	err := tl.t.task.SendFile(to, key, fd)
	tl.t.lock()
	if err != nil {
		return failed(syscall.EBADF)
	}
	fx, err := fixups.New(tx)
	if err != nil {
		d.host.DropFile(to, key)
		return failed(syscall.ENOMEM)
	}
	e, x := fx.Edit(tx), tl.x.Edit(tx)
	e.offset, e.index = uint32(offset), tl.files
	e.next, x.fixups = x.fixups, fx
	tl.files++
	return failure{}
}

// installFiles makes the descriptors of a transaction the reader's own and
// writes their numbers into the buffer: all of them, or none.
func (t *Thread) installFiles(x arena.Ref[transaction]) bool {
	d := t.d
	p := x.In(d.a)
	t.rec.rest.edit(t.tx).installing = x
	p.buffer.Edit(t.tx).Busy = true
	t.unlock()
	block, f := t.block(t.proc, p.buffer)
	ok := f.code == 0
	installed := t.installed[:0]
	for fx := p.fixups; fx != 0 && ok; fx = fx.In(d.a).next {
		e := fx.In(d.a)
		fd, err := t.task.TakeFile(FileKey{p.id, e.index})
		if ok = err == nil; ok {
			binary.NativeEndian.PutUint32(block[e.offset:], uint32(fd))
			installed = append(installed, fd)
		}
	}
	if !ok {
		for _, fd := range installed {
			t.task.CloseFile(fd)
		}
	}
	t.installed = installed
	t.lock()
	t.rec.rest.edit(t.tx).installing = 0
	p.buffer.Edit(t.tx).Busy = false
	if ok {
		d.freeFixups(t.tx, x)
	}
	return ok
}

func (d *Driver) freeFixups(tx *arena.Tx, x arena.Ref[transaction]) {
	for fx := x.In(d.a).fixups; fx != 0; fx = x.In(d.a).fixups {
		x.Edit(tx).fixups = fx.In(d.a).next
		fixups.Free(tx, fx)
	}
}

// dropFixups throws away the descriptors of a transaction that will not be
// delivered.
func (d *Driver) dropFixups(tx *arena.Tx, x arena.Ref[transaction]) {
	p := x.In(d.a)
	for fx := p.fixups; fx != 0; fx = fx.In(d.a).next {
		d.host.DropFile(Owner(p.toProc.In(d.a).owner), FileKey{p.id, fx.In(d.a).index})
	}
	d.freeFixups(tx, x)
}

// releaseObjects gives back what the objects of a buffer hold, the last one
// first, each step counted so that it can be resumed.
func (d *Driver) releaseObjects(tx *arena.Tx, r arena.Ref[proc], b arena.Ref[alloc.Buffer]) {
	window, err := d.window(r)
	buf := b.In(d.a)
	end := uint64(buf.Offset) + uint64(buf.Size)
	if err != nil || end > uint64(len(window)) {
		b.Edit(tx).Objects = 0
		return
	}
	block := window[buf.Offset:end]
	data, offsets := block[:buf.Data], block[align8(uint64(buf.Data)):]
	for n := buf.Objects; n > 0; n = b.In(d.a).Objects {
		b.Edit(tx).Objects = n - 1
		off := binary.NativeEndian.Uint64(offsets[(n-1)*8:])
		if size, ok := objectSize(data, off); ok {
			d.releaseObject(tx, r, data[off:off+uint64(size)])
		}
		if tx.Full() {
			tx.Commit()
		}
	}
}

func (d *Driver) releaseObject(tx *arena.Tx, r arena.Ref[proc], b []byte) {
	var o abi.FlatBinderObject
	o.Decode(b)
	switch o.Type {
	case abi.BINDER_TYPE_BINDER, abi.BINDER_TYPE_WEAK_BINDER:
		if n := d.findNode(r, o.Binder); n != 0 {
			d.decNode(tx, n, o.Type == abi.BINDER_TYPE_BINDER, false)
		}
	case abi.BINDER_TYPE_HANDLE, abi.BINDER_TYPE_WEAK_HANDLE:
		strong := o.Type == abi.BINDER_TYPE_HANDLE
		if x := d.findRef(r, uint32(o.Binder), strong); x != 0 {
			_ = d.decRef(tx, x, strong)
		}
	}
}

// closeArrays closes the descriptors of arrays in a buffer that its reader
// frees: who gets an array does not own them.
func (t *Thread) closeArrays(b arena.Ref[alloc.Buffer]) {
	buf := b.In(t.d.a)
	block, err := t.d.window(t.proc)
	if err != nil {
		return
	}
	block = block[buf.Offset:][:buf.Size]
	data, offsets := block[:buf.Data], block[align8(uint64(buf.Data)):]
	tl := translation{t: t, block: block, data: data, offsets: offsets, base: t.proc.In(t.d.a).base + uint64(buf.Offset)}
	for i := range uint64(buf.Objects) {
		off := binary.NativeEndian.Uint64(offsets[i*8:])
		if size, ok := objectSize(data, off); !ok || size != abi.SizeofFDArrayObject {
			continue
		}
		var o abi.FDArrayObject
		o.Decode(data[off:])
		if o.Type != abi.BINDER_TYPE_FDA {
			continue
		}
		if parent, _, ok := tl.parent(o.Parent, i); ok && o.NumFDs <= parent.Length/4 {
			array := tl.inside(parent)[o.ParentOffset:]
			for n := range o.NumFDs {
				t.task.CloseFile(int32(binary.NativeEndian.Uint32(array[n*4:])))
			}
		}
	}
}

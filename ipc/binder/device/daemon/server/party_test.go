package server_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/daemon"
)

// party is an open file with a region, and one thread that speaks the protocol
// and nothing above it.
type party struct {
	file   device.File
	region device.Mapping
	memory memory
	// payload is where requests and replies lie.
	payload memory
	// left is what was written and not consumed: a failure has to be read first.
	left []byte
}

const payloadSize = 1 << 18

func mapMemory(size int) (memory, error) {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return memory{}, err
	}
	return memory{b, uintptr(sys.Address(b))}, nil
}

func join(socket string) (p *party, err error) {
	p = &party{}
	if p.file, err = daemon.New(daemon.Options{Socket: socket}).Open(0); err != nil {
		return nil, err
	}
	if p.region, err = p.file.Mmap(testLimits.Region, unix.PROT_READ, unix.MAP_PRIVATE); err != nil {
		return nil, err
	}
	if p.memory, err = mapMemory(1 << 16); err != nil {
		return nil, err
	}
	p.payload, err = mapMemory(payloadSize)
	return p, err
}

func (p *party) leave() {
	_ = p.region.Unmap(0, p.region.Len())
	_ = p.file.Close()
	_ = unix.Munmap(p.memory.bytes)
	_ = unix.Munmap(p.payload.bytes)
}

type answer struct {
	code    abi.Return
	payload []byte
}

func (a answer) transaction() (tr abi.TransactionData) { tr.Decode(a.payload); return tr }

// talk writes commands, and reads once if it is to.
func (p *party) talk(read bool, write func(e *abi.Encoder[abi.Command])) (all []answer, err error) {
	n := copy(p.memory.bytes[4096:8192], p.left)
	e := abi.NewEncoder[abi.Command](p.memory.bytes[4096+n : 8192])
	write(&e)
	n += e.Len()
	room := uint64(0)
	if read {
		room = 4096
	}
	err = p.memory.call(p.file, 1, uint64(n), room)
	if err != nil && !errors.Is(err, unix.EINTR) { // the Go scheduler's signals
		return nil, err
	}
	var wr abi.WriteRead
	wr.Decode(p.memory.bytes)
	p.left = bytes.Clone(p.memory.bytes[4096+wr.WriteConsumed : 4096+n])
	for d := abi.NewDecoder[abi.Return](p.memory.bytes[32768 : 32768+wr.ReadConsumed]); ; {
		code, payload, err := d.Next()
		if err != nil {
			return all, nil
		}
		all = append(all, answer{code, bytes.Clone(payload)})
	}
}

func nothing(*abi.Encoder[abi.Command]) {}

// put copies data, and behind it where its objects are, to where requests lie.
func (p *party) put(tr *abi.TransactionData, data []byte, objects ...int) {
	n := copy(p.payload.bytes, data)
	tr.Buffer, tr.DataSize = uint64(p.payload.addr), uint64(n)
	at := (n + 7) &^ 7
	tr.Offsets, tr.OffsetsSize = uint64(p.payload.addr)+uint64(at), uint64(8*len(objects))
	for i, o := range objects {
		binary.NativeEndian.PutUint64(p.payload.bytes[at+8*i:], uint64(o))
	}
}

// call sends a request to the service, with objects that fill the data if
// objectSize is not 0, and returns what came of it: BR_REPLY, a failure, or
// BR_TRANSACTION_COMPLETE of a one-way request.
func (p *party) call(code uint32, flags abi.TransactionFlags, data []byte, objectSize int) (abi.Return, abi.TransactionData, error) {
	tr := abi.TransactionData{Code: code, Flags: flags | abi.TF_ACCEPT_FDS}
	var objects []int
	for at := 0; objectSize > 0 && at < len(data); at += objectSize {
		objects = append(objects, at)
	}
	p.put(&tr, data, objects...)
	write := func(e *abi.Encoder[abi.Command]) { e.Transaction(abi.BC_TRANSACTION, &tr) }
	for {
		all, err := p.talk(true, write)
		if err != nil {
			return 0, tr, err
		}
		write = nothing
		for _, a := range all {
			switch a.code {
			case abi.BR_REPLY:
				return a.code, a.transaction(), nil
			case abi.BR_FAILED_REPLY, abi.BR_DEAD_REPLY:
				return a.code, abi.TransactionData{}, nil
			case abi.BR_TRANSACTION_COMPLETE:
				if flags&abi.TF_ONE_WAY != 0 {
					return a.code, abi.TransactionData{}, nil
				}
			}
		}
	}
}

// call is a client that calls until something fails.
func call(socket string) error {
	p, err := join(socket)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for {
		code, reply, err := p.call(0, 0, nil, 0)
		if err == nil {
			err = p.free(reply.Buffer)
		}
		if err != nil || code != abi.BR_REPLY {
			return fmt.Errorf("%v: %w", code, err)
		}
	}
}

// free gives buffers back.
func (p *party) free(buffers ...uint64) error {
	_, err := p.talk(false, func(e *abi.Encoder[abi.Command]) {
		for _, b := range buffers {
			e.Uint64(abi.BC_FREE_BUFFER, b)
		}
	})
	return err
}

// why is the error of the last transaction that failed.
func (p *party) why() unix.Errno {
	var e abi.ExtendedError
	if err := p.file.Ioctl(1, uint32(abi.BINDER_GET_EXTENDED_ERROR), p.memory.addr+512); err != nil {
		return unix.EIO
	}
	e.Decode(p.memory.bytes[512:])
	return unix.Errno(-e.Param)
}

// view is a buffer in the region.
func (p *party) view(at, n uint64) []byte {
	from := at - uint64(p.region.Addr())
	return p.region.Bytes()[from : from+n]
}

// What the service does, by code.
const (
	echoCode    = iota + 1 // replies with the request
	keepCode               // one-way: does not free the buffer
	releaseCode            // frees what it kept
	giveCode               // replies with as many objects as the first byte says, and the handles that it was given
	takeCode               // keeps the handle in the data
	hurryCode              // replies with nothing, in a call that does not wait for what comes next
)

// serveRaw is the service: the context manager, with one thread.
func serveRaw(socket string) error {
	p, err := join(socket)
	if err != nil {
		return err
	}
	self := abi.FlatBinderObject{Type: abi.BINDER_TYPE_BINDER, Flags: abi.FLAT_BINDER_FLAG_ACCEPTS_FDS}
	self.Encode(p.memory.bytes)
	if err := p.file.Ioctl(1, uint32(abi.BINDER_SET_CONTEXT_MGR_EXT), p.memory.addr); err != nil {
		return err
	}
	fmt.Println("ready")
	s := &service{party: p}
	all, err := p.talk(false, func(e *abi.Encoder[abi.Command]) { e.Code(abi.BC_ENTER_LOOPER) })
	for err == nil {
		all, err = p.talk(true, func(e *abi.Encoder[abi.Command]) {
			for _, a := range all {
				s.act(e, a)
			}
		})
	}
	return err
}

type service struct {
	*party
	kept    []uint64 // buffers
	handles []byte   // objects
}

// act writes what is to be said to something that was read.
func (s *service) act(e *abi.Encoder[abi.Command], a answer) {
	var node abi.PtrCookie
	switch a.code {
	case abi.BR_TRANSACTION:
		s.serve(e, a.transaction())
	case abi.BR_INCREFS:
		node.Decode(a.payload)
		e.PtrCookie(abi.BC_INCREFS_DONE, node)
	case abi.BR_ACQUIRE:
		node.Decode(a.payload)
		e.PtrCookie(abi.BC_ACQUIRE_DONE, node)
	}
}

// serve answers a call.
func (s *service) serve(e *abi.Encoder[abi.Command], call abi.TransactionData) {
	reply := abi.TransactionData{}
	data := s.view(call.Buffer, call.DataSize)
	free := []uint64{call.Buffer}
	switch call.Code {
	case echoCode:
		reply.Buffer, reply.DataSize = call.Buffer, call.DataSize
	case hurryCode:
		_, _ = s.talk(false, func(e *abi.Encoder[abi.Command]) { e.Transaction(abi.BC_REPLY, &reply) })
		call.Flags |= abi.TF_ONE_WAY
	case keepCode:
		s.kept, free = append(s.kept, call.Buffer), nil
	case releaseCode:
		free, s.kept, s.handles = append(free, s.kept...), nil, nil
	case takeCode:
		s.handles = append(s.handles, data...)
		s.kept, free = append(s.kept, call.Buffer), nil
	case giveCode:
		objects := nodes(int(data[0]))
		objects = append(objects, s.handles...)
		var at []int
		for i := 0; i < len(objects); i += abi.SizeofFlatBinderObject {
			at = append(at, i)
		}
		s.put(&reply, objects, at...)
	}
	if call.Flags&abi.TF_ONE_WAY == 0 {
		e.Transaction(abi.BC_REPLY, &reply)
	}
	for _, b := range free {
		e.Uint64(abi.BC_FREE_BUFFER, b)
	}
}

// nodes are n objects of the sender.
func nodes(n int) (b []byte) {
	for i := range n {
		o := abi.FlatBinderObject{Type: abi.BINDER_TYPE_BINDER, Binder: uint64(i + 1), Cookie: uint64(i + 1)}
		b = append(b, make([]byte, abi.SizeofFlatBinderObject)...)
		o.Encode(b[len(b)-abi.SizeofFlatBinderObject:])
	}
	return b
}

// descriptors are n objects, each descriptor 0.
func descriptors(n int) (b []byte) {
	for range n {
		o := abi.FDObject{Type: abi.BINDER_TYPE_FD}
		b = append(b, make([]byte, abi.SizeofFDObject)...)
		o.Encode(b[len(b)-abi.SizeofFDObject:])
	}
	return b
}

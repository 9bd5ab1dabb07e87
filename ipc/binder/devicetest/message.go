package devicetest

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"ipcbench/ipc/binder/abi"
)

// encode writes one command through the codec.
func encode(write func(e *abi.Encoder[abi.Command])) []byte {
	e := abi.NewEncoder[abi.Command](make([]byte, 4+abi.SizeofTransactionDataSG))
	write(&e)
	return e.Bytes()
}

func plain(code abi.Command) []byte {
	return encode(func(e *abi.Encoder[abi.Command]) { e.Code(code) })
}

func withHandle(code abi.Command, handle uint32) []byte {
	return encode(func(e *abi.Encoder[abi.Command]) { e.Uint32(code, handle) })
}

func withAddress(code abi.Command, address uint64) []byte {
	return encode(func(e *abi.Encoder[abi.Command]) { e.Uint64(code, address) })
}

func withNode(code abi.Command, n abi.PtrCookie) []byte {
	return encode(func(e *abi.Encoder[abi.Command]) { e.PtrCookie(code, n) })
}

func withCookie(code abi.Command, handle uint32, cookie uint64) []byte {
	return encode(func(e *abi.Encoder[abi.Command]) { e.HandleCookie(code, abi.NewHandleCookie(handle, cookie)) })
}

// message is a transaction or reply as a test describes it.
type message struct {
	to      uint32
	code    uint32
	flags   abi.TransactionFlags
	data    []byte
	objects [][]byte // put behind data, 8-aligned, with their offsets
	offsets []uint64 // instead of the objects' own
	partial uint64   // added to the size of the offsets
	buffer  uint64   // address of the payload, instead of storing it
	extra   uint64   // room for buffer objects; makes it an SG command
}

// layout is the message's payload and its offsets.
func (m message) layout() (data []byte, offsets []byte) {
	data = slices.Clone(m.data)
	at := m.offsets
	for _, object := range m.objects {
		for len(data)%8 != 0 {
			data = append(data, 0)
		}
		if m.offsets == nil {
			at = append(at, uint64(len(data)))
		}
		data = append(data, object...)
	}
	for _, offset := range at {
		offsets = binary.NativeEndian.AppendUint64(offsets, offset)
	}
	return data, offsets
}

type encodable interface{ Encode(b []byte) }

func object(size int, v encodable) []byte {
	b := make([]byte, size)
	v.Encode(b)
	return b
}

// binderObject publishes a node. It accepts descriptors.
func binderObject(n abi.PtrCookie) []byte {
	return object(abi.SizeofFlatBinderObject, &abi.FlatBinderObject{Type: abi.BINDER_TYPE_BINDER,
		Flags: abi.FLAT_BINDER_FLAG_ACCEPTS_FDS | 0x7f, Binder: n.Ptr, Cookie: n.Cookie})
}

func handleObject(handle uint32) []byte {
	return object(abi.SizeofFlatBinderObject, &abi.FlatBinderObject{Type: abi.BINDER_TYPE_HANDLE, Binder: uint64(handle)})
}

func fdObject(fd int) []byte {
	return object(abi.SizeofFDObject, &abi.FDObject{Type: abi.BINDER_TYPE_FD, FD: uint32(fd)})
}

func flatAt(b []byte) (v abi.FlatBinderObject) { v.Decode(b); return v }

// answer is one return as it was read.
type answer struct {
	code    abi.Return
	payload []byte
}

func parse(stream []byte) (answers []answer, err error) {
	d := abi.NewDecoder[abi.Return](stream)
	for {
		code, payload, err := d.Next()
		if err == io.EOF {
			return answers, nil
		}
		if err != nil {
			return answers, fmt.Errorf("what the driver wrote: %w", err)
		}
		answers = append(answers, answer{code, payload})
	}
}

func (a answer) transaction() (t abi.TransactionData) { t.Decode(a.payload); return t }
func (a answer) node() (n abi.PtrCookie)              { n.Decode(a.payload); return n }
func (a answer) cookie() uint64                       { return abi.Uint64(a.payload) }

func codes(answers []answer) []abi.Return {
	var list []abi.Return
	for _, a := range answers {
		list = append(list, a.code)
	}
	return list
}

func names(list []abi.Return) string {
	var s []string
	for _, code := range list {
		s = append(s, strings.TrimPrefix(code.String(), "BR_"))
	}
	return "[" + strings.Join(s, " ") + "]"
}

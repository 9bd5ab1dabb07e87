package parcel

import (
	"io"
	"testing"

	"ipcbench/ipc/binder/abi"
)

// reads are the ways to read one value, chosen by one byte each.
var reads = []func(*Parcel) error{
	func(p *Parcel) error { _, err := p.ReadInt32(); return err },
	func(p *Parcel) error { _, err := p.ReadInt64(); return err },
	func(p *Parcel) error { _, err := p.ReadBool(); return err },
	func(p *Parcel) error { _, err := p.ReadFloat64(); return err },
	func(p *Parcel) error { _, err := p.ReadString16(); return err },
	func(p *Parcel) error { _, err := p.ReadString8(); return err },
	func(p *Parcel) error { _, err := p.ReadByteArray(); return err },
	func(p *Parcel) error { _, err := p.ReadInt32Array(); return err },
	func(p *Parcel) error { _, err := p.ReadInt64Array(); return err },
	func(p *Parcel) error { _, err := p.ReadString16Array(); return err },
	func(p *Parcel) error { return p.EnforceInterface("org.example.IEcho") },
	func(p *Parcel) error { return p.ReadException() },
	func(p *Parcel) error { _, _, err := p.ReadBinder(); return err },
	func(p *Parcel) error { _, err := p.ReadFileDescriptor(); return err },
	func(p *Parcel) error { _, err := p.Next(5); return err },
}

// FuzzRead reads arbitrary values from arbitrary bytes with an arbitrary table
// of objects: no read panics, leaves the data, or goes backwards.
func FuzzRead(f *testing.F) {
	var p Parcel
	p.WriteInterfaceToken("org.example.IEcho")
	p.WriteString16("a")
	p.WriteBinder(abi.FlatBinderObject{Type: abi.BINDER_TYPE_HANDLE, Binder: 1}, StabilitySystem, io.NopCloser(nil))
	p.WriteException(&Exception{Code: ExceptionSecurity, Message: "no"})
	f.Add(p.Bytes(), []byte{10, 4, 12, 11}, byte(p.Objects()[0]), byte(0))
	f.Add([]byte("\xff\xff\xff\x7f"), []byte{4, 6, 9}, byte(0), byte(3))
	f.Add([]byte("\x80\xff\xff\xff\xff\xff\xff\xff"), []byte{11, 11}, byte(200), byte(1))

	f.Fuzz(func(t *testing.T, data, script []byte, object1, object2 byte) {
		p := Parcel{data: data, objects: []uint64{uint64(object1), uint64(object2) << 3}}
		for _, op := range script {
			before := p.Position()
			err := reads[int(op)%len(reads)](&p)
			if p.Position() < before || p.Position() > len(data) {
				t.Fatalf("read %d moved from %d to %d of %d", op, before, p.Position(), len(data))
			}
			if err == nil && p.Position() == before {
				t.Fatalf("read %d succeeded on nothing", op)
			}
		}
	})
}

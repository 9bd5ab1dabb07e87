package parcel

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"ipcbench/ipc/binder/abi"
)

// TestWire compares with bytes worked out by hand from libbinder's encoding.
func TestWire(t *testing.T) {
	tests := []struct {
		name  string
		write func(p *Parcel)
		want  string
	}{
		{"int32", func(p *Parcel) { p.WriteInt32(-2) }, "feffffff"},
		{"int64 is only 4-aligned", func(p *Parcel) { p.WriteInt32(1); p.WriteInt64(2) }, "01000000 0200000000000000"},
		{"bool", func(p *Parcel) { p.WriteBool(true) }, "01000000"},
		{"float32", func(p *Parcel) { p.WriteFloat32(1) }, "0000803f"},
		{"float64", func(p *Parcel) { p.WriteFloat64(-2) }, "00000000000000c0"},
		{"String16", func(p *Parcel) { p.WriteString16("hi") }, "02000000 6800 6900 0000 0000"},
		{"empty String16", func(p *Parcel) { p.WriteString16("") }, "00000000 0000 0000"},
		{"null String16", func(p *Parcel) { p.WriteNullString16() }, "ffffffff"},
		{"String16 beyond the BMP", func(p *Parcel) { p.WriteString16("𝄞") }, "02000000 34d8 1edd 0000 0000"},
		{"String8", func(p *Parcel) { p.WriteString8("abc") }, "03000000 61626300"},
		{"byte array", func(p *Parcel) { p.WriteByteArray([]byte{1, 2, 3, 4, 5}) }, "05000000 0102030405000000"},
		{"null byte array", func(p *Parcel) { p.WriteByteArray(nil) }, "ffffffff"},
		{"int32 array", func(p *Parcel) { p.WriteInt32Array([]int32{7, 8}) }, "02000000 07000000 08000000"},
		{"no exception", func(p *Parcel) { p.WriteNoException() }, "00000000"},
		{"exception", func(p *Parcel) { p.WriteException(&Exception{Code: ExceptionSecurity, Message: "n"}) },
			"ffffffff 01000000 6e00 0000 00000000"},
		{"service-specific exception",
			func(p *Parcel) { p.WriteException(&Exception{Code: ExceptionServiceSpecific, Specific: 9}) },
			"f8ffffff 00000000 0000 0000 00000000 09000000"},
		{"interface token", func(p *Parcel) { p.WriteInterfaceToken("a") },
			"00000080 ffffffff 54535953 01000000 6100 0000"},
		{"null binder", func(p *Parcel) { p.WriteNullBinder() },
			"852a6273 00000000 0000000000000000 0000000000000000 00000000"},
		{"handle", func(p *Parcel) {
			p.WriteBinder(abi.FlatBinderObject{Type: abi.BINDER_TYPE_HANDLE, Binder: 5}, StabilitySystem, io.NopCloser(nil))
		}, "852a6873 00000000 0500000000000000 0000000000000000 0c000000"},
		{"descriptor", func(p *Parcel) { p.WriteFileDescriptor(3, false) },
			"852a6466 00000000 0300000000000000 0000000000000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p Parcel
			tt.write(&p)
			want, err := hex.DecodeString(strings.ReplaceAll(tt.want, " ", ""))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(p.Bytes(), want) {
				t.Errorf("got  %x\nwant %x", p.Bytes(), want)
			}
		})
	}
}

// value is one kind of value in a Parcel, with a write and a check of its read.
type value struct {
	write func(*Parcel)
	read  func(*Parcel) bool
}

func values() *rapid.Generator[value] {
	return rapid.OneOf(
		of(rapid.Int32(), (*Parcel).WriteInt32, (*Parcel).ReadInt32),
		of(rapid.Uint64(), (*Parcel).WriteUint64, (*Parcel).ReadUint64),
		of(rapid.Int64(), (*Parcel).WriteInt64, (*Parcel).ReadInt64),
		of(rapid.Bool(), (*Parcel).WriteBool, (*Parcel).ReadBool),
		of(rapid.Float64(), (*Parcel).WriteFloat64, (*Parcel).ReadFloat64),
		of(rapid.Float32(), (*Parcel).WriteFloat32, (*Parcel).ReadFloat32),
		of(rapid.String(), (*Parcel).WriteString16, (*Parcel).ReadString16),
		of(rapid.String(), (*Parcel).WriteString8, (*Parcel).ReadString8),
		of(rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			func(p *Parcel, s string) { p.WriteByteArray([]byte(s)) },
			func(p *Parcel) (string, error) { b, err := p.ReadByteArray(); return string(b), err }),
	)
}

func of[T comparable](gen *rapid.Generator[T], write func(*Parcel, T), read func(*Parcel) (T, error)) *rapid.Generator[value] {
	return rapid.Map(gen, func(v T) value {
		return value{
			write: func(p *Parcel) { write(p, v) },
			read:  func(p *Parcel) bool { got, err := read(p); return err == nil && got == v },
		}
	})
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sequence := rapid.SliceOf(values()).Draw(t, "values")
		var p Parcel
		for _, v := range sequence {
			v.write(&p)
		}
		if p.Len()%4 != 0 {
			t.Fatalf("%d bytes are not padded", p.Len())
		}
		for i, v := range sequence {
			if !v.read(&p) {
				t.Fatalf("value %d does not come back", i)
			}
		}
		if p.Remaining() != 0 {
			t.Fatalf("%d bytes are left", p.Remaining())
		}
	})
}

func TestArraysRoundTrip(t *testing.T) {
	var p Parcel
	p.WriteInt32Array([]int32{1, -1})
	p.WriteInt64Array([]int64{math.MinInt64})
	p.WriteString16Array([]string{"", "ä"})
	p.WriteInt32Array(nil)
	a, err1 := p.ReadInt32Array()
	b, err2 := p.ReadInt64Array()
	c, err3 := p.ReadString16Array()
	d, err4 := p.ReadInt32Array()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	if len(a) != 2 || a[1] != -1 || b[0] != math.MinInt64 || c[1] != "ä" || d != nil {
		t.Errorf("got %v %v %q %v", a, b, c, d)
	}
}

func TestReadErrors(t *testing.T) {
	tests := []struct {
		name string
		data string
		read func(p *Parcel) error
		want error
	}{
		{"int32 in 3 bytes", "\x01\x02\x03", func(p *Parcel) error { _, err := p.ReadInt32(); return err }, ErrShort},
		{"int64 in 4 bytes", "\x01\x02\x03\x04", func(p *Parcel) error { _, err := p.ReadInt64(); return err }, ErrShort},
		{"null string", "\xff\xff\xff\xff", func(p *Parcel) error { _, err := p.ReadString16(); return err }, ErrNull},
		{"negative length", "\xfe\xff\xff\xff", func(p *Parcel) error { _, err := p.ReadString16(); return err }, ErrInvalid},
		{"string longer than the data", "\xff\xff\xff\x7f\x00\x00\x00\x00",
			func(p *Parcel) error { _, err := p.ReadString16(); return err }, ErrShort},
		{"string without its zero", "\x01\x00\x00\x00aabb",
			func(p *Parcel) error { _, err := p.ReadString16(); return err }, ErrInvalid},
		{"array longer than the data", "\xff\xff\xff\x7f",
			func(p *Parcel) error { _, err := p.ReadInt64Array(); return err }, ErrShort},
		{"token with a foreign header", strings.Repeat("\x01", 32),
			func(p *Parcel) error { return p.EnforceInterface("a") }, ErrInvalid},
		{"forged object", "\x85*hs\x00\x00\x00\x00\x05" + strings.Repeat("\x00", 19),
			func(p *Parcel) error { _, _, err := p.ReadBinder(); return err }, ErrInvalid},
		{"forged descriptor", "\x85*df" + strings.Repeat("\x00", 20),
			func(p *Parcel) error { _, err := p.ReadFileDescriptor(); return err }, ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Parcel{data: []byte(tt.data)}
			if err := tt.read(&p); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestEnforceInterface(t *testing.T) {
	var p Parcel
	p.WriteInterfaceToken("org.example.IÄcho")
	for _, other := range []string{"", "org.example.I", "org.example.IÄchoo", "org.example.IÄchp"} {
		p.SetPosition(0)
		if err := p.EnforceInterface(other); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q is taken for the interface: %v", other, err)
		}
	}
	p.SetPosition(0)
	if err := p.EnforceInterface("org.example.IÄcho"); err != nil {
		t.Error(err)
	}
}

func TestException(t *testing.T) {
	var p Parcel
	p.WriteNoException()
	p.WriteException(&Exception{Code: ExceptionServiceSpecific, Message: "no room", Specific: 28})
	p.WriteInt32(int32(exceptionHasReplyHeader))
	p.WriteInt32(8)
	p.WriteInt32(0)
	p.WriteInt32(42)
	if err := p.ReadException(); err != nil {
		t.Errorf("no exception: %v", err)
	}
	var e *Exception
	if err := p.ReadException(); !errors.As(err, &e) || e.Specific != 28 || e.Message != "no room" {
		t.Errorf("got %v", err)
	}
	if err := p.ReadException(); err != nil {
		t.Errorf("reply header: %v", err)
	}
	if v, _ := p.ReadInt32(); v != 42 {
		t.Errorf("the reply header is not skipped: %d", v)
	}
}

func TestPlainReadOfObject(t *testing.T) {
	var p Parcel
	p.WriteInt32(1)
	p.WriteBinder(abi.FlatBinderObject{Type: abi.BINDER_TYPE_HANDLE, Binder: 5}, StabilitySystem, io.NopCloser(nil))
	p.SetPosition(4)
	if _, err := p.ReadInt32(); !errors.Is(err, ErrInvalid) {
		t.Errorf("an object's bytes are read as an int: %v", err)
	}
	p.SetPosition(4)
	obj, stability, err := p.ReadBinder()
	if err != nil || obj.Binder != 5 || stability != StabilitySystem || p.Remaining() != 0 {
		t.Errorf("got %+v %v %v", obj, stability, err)
	}
}

func TestNullBinder(t *testing.T) {
	var p Parcel
	p.WriteNullBinder()
	if _, _, err := p.ReadBinder(); !errors.Is(err, ErrNull) || p.Remaining() != 0 {
		t.Errorf("got %v, %d bytes left", err, p.Remaining())
	}
}

type region struct{ freed []uint64 }

func (r *region) FreeBuffer(address uint64) { r.freed = append(r.freed, address) }

// TestReceived: a received Parcel owns its descriptors and its buffer until
// Reset.
func TestReceived(t *testing.T) {
	file, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd, err := unix.Dup(int(file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	var sent Parcel
	sent.WriteInt32(7)
	sent.WriteFileDescriptor(fd, false)
	var offsets [8]byte
	order.PutUint64(offsets[:], sent.Objects()[0])

	var p Parcel
	var r region
	p.Receive(sent.Bytes(), offsets[:], &r, 99)
	if v, err := p.ReadInt32(); v != 7 || err != nil {
		t.Errorf("got %d, %v", v, err)
	}
	dup, err := p.ReadUniqueFileDescriptor()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dup)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a received Parcel takes a write")
			}
		}()
		p.WriteInt32(1)
	}()
	p.Reset()
	p.Reset()
	if len(r.freed) != 1 || r.freed[0] != 99 {
		t.Errorf("freed %v, want [99]", r.freed)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		t.Error("the received descriptor stays open")
	}
	if flags, err := unix.FcntlInt(uintptr(dup), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("the duplicate: flags %#x, %v", flags, err)
	}
	p.WriteInt32(1)
	if p.Len() != 4 {
		t.Errorf("%d bytes after Reset and a write", p.Len())
	}
}

func TestOwnedDescriptor(t *testing.T) {
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var p Parcel
	p.WriteFileDescriptor(fd, true)
	p.Reset()
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		t.Error("the owned descriptor stays open")
	}
}

// TestReuse: a Parcel that was reset shows nothing of what it held, and costs
// no allocation.
func TestReuse(t *testing.T) {
	var p Parcel
	p.WriteByteArray(bytes.Repeat([]byte{0xff}, 64))
	p.Reset()
	if b := p.Append(64); !bytes.Equal(b, make([]byte, 64)) {
		t.Errorf("stale bytes: %x", b)
	}
	payload := make([]byte, 48)
	if n := testing.AllocsPerRun(100, func() {
		p.Reset()
		p.WriteInterfaceToken("org.example.IEcho")
		p.WriteByteArray(payload)
		if p.EnforceInterface("org.example.IEcho") != nil {
			t.Error("not the interface")
		}
		if b, err := p.NextByteArray(); err != nil || len(b) != 48 {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

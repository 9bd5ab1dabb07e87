package evidence

import (
	"encoding/binary"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

const enterText = `name: sys_enter
ID: 443
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

	field:long id;	offset:8;	size:8;	signed:1;
	field:unsigned long args[6];	offset:16;	size:48;	signed:0;

print fmt: "NR %ld", REC->id
`

const exitText = `name: sys_exit
ID: 442
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;

	field:long id;	offset:8;	size:8;	signed:1;
	field:long ret;	offset:16;	size:8;	signed:1;
`

func points(t testing.TB) tracepoints {
	t.Helper()
	enter, err := parseFormat([]byte(enterText))
	if err != nil {
		t.Fatal(err)
	}
	exit, err := parseFormat([]byte(exitText))
	if err != nil {
		t.Fatal(err)
	}
	return tracepoints{enter, exit}
}

// sample is a record of a perf ring as the kernel writes it, padded to 8 bytes.
func sample(id uint16, words ...int64) []byte {
	order := binary.NativeEndian
	raw := order.AppendUint64(nil, uint64(id))
	for _, w := range words {
		raw = order.AppendUint64(raw, uint64(w))
	}
	raw = append(raw, 0, 0, 0, 0)
	r := order.AppendUint32(nil, unix.PERF_RECORD_SAMPLE)
	r = order.AppendUint16(r, 0)
	r = order.AppendUint16(r, uint16(recordHeader+4+len(raw)))
	r = order.AppendUint32(r, uint32(len(raw)))
	return append(r, raw...)
}

func entered(nr int64, args ...int64) []byte {
	return sample(443, append(append([]int64{nr}, args...), make([]int64, 6-len(args))...)...)
}

func returned(nr, result int64) []byte { return sample(442, nr, result) }

func log(records ...[]byte) (all []byte) {
	for _, r := range records {
		all = append(all, r...)
	}
	return all
}

func TestPair(t *testing.T) {
	underWay := parseUnderWay("0 0x8 0xc000 0x40 0x0 0x0 0x0 0x7ffc 0x7f01\n")
	p, err := points(t).pair(log(
		returned(unix.SYS_READ, 5), // under way before
		entered(unix.SYS_MSGSND, 7, 0, 300), returned(unix.SYS_MSGSND, 0),
		entered(unix.SYS_READ, 9, 0, 64), returned(unix.SYS_READ, 64),
		entered(unix.SYS_READ, 9, 0, 64), returned(unix.SYS_READ, restartSys),
		entered(unix.SYS_FUTEX), // under way after
	), underWay)
	if err != nil {
		t.Fatal(err)
	}
	if p.enters != 4 || p.exits != 4 || len(p.calls) != 4 {
		t.Fatalf("%+v", p)
	}
	for i, want := range []struct {
		bytes  uint64
		object int64
		again  bool
	}{{5, 8, false}, {300, 7, false}, {64, 9, false}, {0, 9, true}} {
		d := p.calls[i]
		if d.bytes() != want.bytes || d.object() != want.object || d.restarted() != want.again {
			t.Errorf("call %d: %+v: %d bytes, object %d", i, d, d.bytes(), d.object())
		}
	}
}

func TestUnderWay(t *testing.T) {
	for _, line := range []string{"running\n", "-1 0x7ffc 0x7f01\n", "", "0 0x8 0xc000 0x40 0x0 0x0 x 0x7ffc 0x7f01"} {
		if d := parseUnderWay(line); d != nil {
			t.Errorf("%q: %+v", line, d)
		}
	}
	other := parseUnderWay("202 0x8 0x0 0xffffffffffffffff 0x0 0x0 0x0 0x7ffc 0x7f01")
	if other == nil || other.args[2] != -1 {
		t.Fatalf("%+v", other)
	}
	p, err := points(t).pair(log(returned(unix.SYS_READ, 5)), other)
	if err != nil || len(p.calls) != 0 {
		t.Errorf("the return of another call: %+v, %v", p, err)
	}
}

func TestLostAndDamagedRecords(t *testing.T) {
	lost := binary.NativeEndian.AppendUint32(nil, unix.PERF_RECORD_LOST)
	lost = append(lost, returned(0, 0)[4:]...)
	good := entered(unix.SYS_READ)
	tests := map[string]struct {
		log  []byte
		want error
	}{
		"lost":      {log(good, lost), errLost},
		"cut":       {good[:len(good)-1], errRecord},
		"short":     {sample(443, 1), errRecord},
		"of others": {sample(9, 1), errRecord},
		"rest":      {log(good, []byte{1}), errRecord},
	}
	for name, test := range tests {
		if _, err := points(t).pair(test.log, nil); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestRuntimesCalls(t *testing.T) {
	if isRuntimes(unix.SYS_FUTEX, [6]int64{1: 0}) || !isRuntimes(unix.SYS_FUTEX, [6]int64{1: futexPrivate}) {
		t.Error("a futex is the runtime's where it is private")
	}
	if isRuntimes(unix.SYS_READ, [6]int64{}) || isRuntimes(1<<40, [6]int64{}) {
		t.Error("the runtime owns what it should not")
	}
}

func FuzzFormat(f *testing.F) {
	f.Add([]byte(enterText), []byte("\x01"))
	f.Add([]byte("ID: 1\n field:long args; offset:65535; size:8;"), []byte(""))
	f.Fuzz(func(t *testing.T, text, record []byte) {
		parsed, err := parseFormat(text)
		if err != nil {
			return
		}
		for name := range parsed.fields {
			for i := range 6 {
				parsed.word(record, name, i)
			}
		}
	})
}

func FuzzPair(f *testing.F) {
	f.Add(log(entered(unix.SYS_READ, 3), returned(unix.SYS_READ, 8)))
	p := points(f)
	f.Fuzz(func(t *testing.T, log []byte) {
		pairs, _ := p.pair(log, nil)
		for _, d := range pairs.calls {
			d.bytes()
			d.object()
		}
	})
}

package evidence

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/copies"
)

// copied is the sample of a breakpoint with an id, and so many bytes asked for.
func copied(id, amount uint64) []byte {
	b := binary.NativeEndian.AppendUint32(nil, unix.PERF_RECORD_SAMPLE)
	b = binary.NativeEndian.AppendUint16(b, 0)
	b = binary.NativeEndian.AppendUint16(b, recordHeader+copySample)
	for _, word := range []uint64{id, 2, amount} {
		b = binary.NativeEndian.AppendUint64(b, word)
	}
	return b
}

func TestSumCopies(t *testing.T) {
	var from, to CopySum
	byID := map[uint64]*CopySum{7: &from, 9: &to}
	log := append(append(copied(7, 4096), copied(9, 100)...), copied(7, 64)...)
	if err := sumCopies(log, byID); err != nil {
		t.Fatal(err)
	}
	if want := (CopySum{2, 4160}); from != want {
		t.Errorf("%+v, want %+v", from, want)
	}
	if want := (CopySum{1, 100}); to != want {
		t.Errorf("%+v, want %+v", to, want)
	}
	for name, log := range map[string][]byte{
		"of another event": copied(8, 1), "cut off": copied(7, 1)[:20],
	} {
		if err := sumCopies(log, byID); !errors.Is(err, errRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAddressOf(t *testing.T) {
	symbols := []byte("ffffffff81000000 T _stext\nffffffff81b67770 T _copy_to_iter\n0000000000000000 T hidden\n")
	if a, err := addressOf("_copy_to_iter", symbols); err != nil || a != 0xffffffff81b67770 {
		t.Errorf("%#x, %v", a, err)
	}
	if _, err := addressOf("hidden", symbols); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("hidden: %v", err)
	}
	if _, err := addressOf("copy_to_iter", symbols); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("part of a name: %v", err)
	}
}

func TestCheckKernelCopies(t *testing.T) {
	const operations, size = 10, 64 << 10
	const each = operations * size
	ledger := copies.Report{Delivered: [2]uint64{each, each}, Messages: [2]uint64{operations, operations},
		Sites: []copies.SiteReport{
			{Name: "pipe/write", Kernel: true, Payload: 2 * each}, {Name: "pipe/read", Kernel: true, Payload: 2 * each}}}
	const beside = operations * 2 * 8 << 10 // asked for at the ends of messages
	for name, test := range map[string]struct {
		from, to uint64
		want     string
		copies   float64
	}{
		"two copies":                  {2*each + beside, 2 * each, Agrees, 2},
		"a hidden one, one direction": {3*each + beside, 2 * each, Disagrees, 2.5},
		"one that was not made":       {2 * each, each, Disagrees, 1.5},
		"none":                        {0, 0, Disagrees, 0},
	} {
		counted := &KernelCopies{Functions: map[string]CopySum{"_copy_from_iter": {1, test.from}, "_copy_to_iter": {1, test.to}}}
		f := CheckKernelCopies(counted, ledger, operations)
		if f.Status != test.want || f.Counted["copies"] != test.copies {
			t.Errorf("%s: %+v", name, f)
		}
	}
	ledger.Delivered = [2]uint64{640, 640}
	if f := CheckKernelCopies(&KernelCopies{}, ledger, operations); f.Status != NotApplicable {
		t.Errorf("a small payload: %+v", f)
	}
}

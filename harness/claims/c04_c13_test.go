package claims

import (
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

func init() {
	register("C4",
		example{"frames and bytes", memoryNumbers{Windows: 1, Holders: 1, Frames: 9, Equal: 9, Poked: 9, Seen: 9}, Supported},
		example{"bytes only", memoryNumbers{Windows: 1, Holders: 1, Poked: 9, Seen: 9}, Supported},
		example{"the kernel writes unseen", memoryNumbers{Later: 15, SameFrame: 15}, Supported},
		example{"another frame", memoryNumbers{Windows: 1, Frames: 9, Equal: 8, Poked: 9, Seen: 9}, Refuted},
		example{"a byte is not seen", memoryNumbers{Windows: 1, Frames: 9, Equal: 9, Poked: 9, Seen: 8}, Refuted},
		example{"frames are exchanged", memoryNumbers{Later: 15, SameFrame: 3}, Inconclusive},
		example{"the receiver may have written", memoryNumbers{Later: 15, SameFrame: 15, ReceiverWritable: true}, Inconclusive},
	)
	window := func(found int, offsets ...int64) windowOffsets { return windowOffsets{7, found, offsets} }
	register("C5",
		example{"one offset", offsetNumbers{140, []windowOffsets{window(140, 0x1000)}}, Supported},
		example{"one in each window", offsetNumbers{140, []windowOffsets{window(140, 0x1000), window(140, -0x2000)}}, Supported},
		example{"two offsets", offsetNumbers{140, []windowOffsets{window(140, 0x1000, 0x2000)}}, Refuted},
		example{"the same addresses", offsetNumbers{140, []windowOffsets{window(140, 0)}}, Refuted},
		example{"not all were found", offsetNumbers{140, []windowOffsets{window(139, 0x1000)}}, Inconclusive},
		example{"no window", offsetNumbers{Buffers: 140}, Inconclusive},
	)
	mapped := func(usable ...mappedSize) mappingNumbers {
		return mappingNumbers{Sizes: usable, PrivateWritable: "EPERM", SharedWritable: "EPERM", MadeWritable: "EACCES", Second: "EBUSY"}
	}
	writable := mapped(mappedSize{Mapped: 1 << 20, Usable: 1 << 20})
	writable.MadeWritable = ""
	register("C11",
		example{"clamped", mapped(mappedSize{Mapped: 1 << 20, Usable: 1 << 20}, mappedSize{Mapped: 8 << 20, Usable: 4 << 20}), Supported},
		example{"refused", mapped(mappedSize{Mapped: 4 << 20, Usable: 4 << 20}, mappedSize{Mapped: 8 << 20, Refused: "EINVAL"}), Supported},
		example{"more arrives", mapped(mappedSize{Mapped: 8 << 20, Usable: 4<<20 + 8}), Refuted},
		example{"writable", writable, Refuted},
		example{"less than mapped", mapped(mappedSize{Mapped: 4 << 20, Usable: 3 << 20}), Inconclusive},
	)
	register("C12",
		example{"best fit", fitNumbers{Requests: 100, Telling: 60, BestFit: 100, FirstFit: 30}, Supported},
		example{"first fit", fitNumbers{Requests: 100, Telling: 60, BestFit: 30, FirstFit: 100}, Refuted},
		example{"one stray", fitNumbers{Requests: 100, Telling: 60, BestFit: 99}, Refuted},
		example{"nothing to tell by", fitNumbers{Requests: 100, Telling: 10, BestFit: 100, FirstFit: 95}, Inconclusive},
	)
	pages := pageNumbers{Region: 254, Needed: 24, Used: 24, Kept: 24, SomeTaken: 5, OldestTaken: 5, Reusable: true}
	but := func(change func(*pageNumbers)) pageNumbers {
		n := pages
		change(&n)
		return n
	}
	register("C13",
		example{"on demand, kept, given back", pages, Supported},
		example{"order unseen", but(func(n *pageNumbers) { n.SomeTaken, n.OldestTaken = 0, 0 }), Supported},
		example{"cannot shrink", but(func(n *pageNumbers) { n.NoShrinker = "sealed" }), Conditional},
		example{"all at once", but(func(n *pageNumbers) { n.Before, n.Used = 254, 254 }), Refuted},
		example{"not kept", but(func(n *pageNumbers) { n.Kept = 0 }), Refuted},
		example{"the youngest first", but(func(n *pageNumbers) { n.OldestTaken = 0 }), Refuted},
		example{"lost for good", but(func(n *pageNumbers) { n.Reusable = false }), Refuted},
		example{"the shrinker did nothing", but(func(n *pageNumbers) { n.Left, n.SomeTaken, n.OldestTaken = 24, 0, 0 }), Inconclusive},
		example{"nothing tried", pageNumbers{}, Inconclusive},
	)
}

func TestSpace(t *testing.T) {
	s := space{size: 1000}
	for _, e := range []extent{{100, 100}, {300, 100}, {650, 50}} {
		s.take(e)
	}
	if got, want := s.holes(), []extent{{0, 100}, {200, 100}, {400, 250}, {700, 300}}; !slices.Equal(got, want) {
		t.Fatalf("holes %v, want %v", got, want)
	}
	for _, c := range []struct {
		size   uint64
		better func(a, b extent) bool
		want   uint64
	}{{100, smaller, 0}, {101, smaller, 400}, {101, larger, 700}, {101, earlier, 400}, {260, earlier, 700}} {
		if got, ok := s.place(c.size, c.better); !ok || got != c.want {
			t.Errorf("%d bytes at %d, want %d", c.size, got, c.want)
		}
	}
	if _, ok := s.place(301, smaller); ok {
		t.Error("301 bytes have a place")
	}
	if s.free(300); s.used() != 150 || len(s.holes()) != 3 {
		t.Errorf("%d bytes used, holes %v", s.used(), s.holes())
	}
}

// Two mappings of one file are found to be the same memory, two files are not.
func TestMappings(t *testing.T) {
	var mapped [][]byte
	for _, name := range []string{"same", "same", "other"} {
		f, err := os.OpenFile(t.TempDir()+"/../"+name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := f.Truncate(8192); err != nil {
			t.Fatal(err)
		}
		m, err := unix.Mmap(int(f.Fd()), 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Munmap(m)
		m[5000] = 1
		mapped = append(mapped, m)
	}
	mine, err := mappingAt(sys.Address(mapped[0]) + 5000)
	if err != nil {
		t.Fatal(err)
	}
	others, err := mine.others()
	if err != nil || len(others) != 1 || !others[0].Writable {
		t.Fatalf("others: %+v, %v", others, err)
	}
	there := mine.corresponding(sys.Address(mapped[0])+5000, others[0])
	if want := sys.Address(mapped[1]) + 5000; there != want {
		t.Fatalf("corresponds to %#x, want %#x", there, want)
	}
	if err := poke(os.Getpid(), there, []byte{42}); err != nil {
		t.Skip(err) // a debugger is not permitted here
	}
	if mapped[0][5000] != 42 {
		t.Error("a byte written through one mapping is not in the other")
	}
	if a, b := frame(os.Getpid(), sys.Address(mapped[0])+5000), frame(os.Getpid(), there); a != b {
		t.Errorf("frames %#x and %#x of one page", a, b)
	}
}

package ipc_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
)

const hugePage = 2 << 20

// onHugePages is how many bytes of the mapping that holds an address lie on huge
// pages, as the kernel shows it.
func onHugePages(t *testing.T, address uint64) (bytes uint64) {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip("the kernel does not show mappings: ", err)
	}
	defer f.Close()
	var from, to, kB uint64
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ":")
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); n == 2 {
			continue
		}
		if name == "AnonHugePages" && from <= address && address < to {
			if _, err := fmt.Sscan(value, &kB); err != nil {
				t.Fatal(lines.Text(), err)
			}
			return kB << 10
		}
	}
	t.Skip("the kernel does not show what lies on huge pages")
	return 0
}

func TestHugeBuffer(t *testing.T) {
	for _, n := range []int{0, 64, 4096, hugePage, hugePage + 1} {
		owner := ipc.Buffers{HugePages: true}
		b, err := owner.Buffer(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Bytes()) != n || b.Cap() != n || len(b.Front(ipc.Headroom)) != ipc.Headroom+n {
			t.Errorf("buffer of %d: %d bytes of %d, and %d with headroom", n, b.Len(), b.Cap(), len(b.Front(ipc.Headroom)))
		}
		front := sys.Address(b.Front(ipc.Headroom))
		if (front+ipc.Headroom)%hugePage != 0 {
			t.Errorf("buffer of %d: the payload is at %#x", n, front+ipc.Headroom)
		}
		fill(b.Front(ipc.Headroom))
		is := onHugePages(t, front+ipc.Headroom)
		want := uint64(max(n, 1)+hugePage-1) &^ (hugePage - 1)
		if b.OnHugePages() != (is == want) {
			t.Errorf("buffer of %d: on huge pages %v, where %d bytes of %d are", n, b.OnHugePages(), is, want)
		}
		if is == 0 {
			t.Skip("the kernel gives no huge pages: /sys/kernel/mm/transparent_hugepage/enabled says why")
		}
		if err := b.Free(); err != nil {
			t.Error(err)
		}
	}
}

func fill(p []byte) {
	for i := range p {
		p[i] = byte(i)
	}
}

// A process that is denied huge pages has buffers nevertheless, which say so.
func TestHugeBufferWithoutHugePages(t *testing.T) {
	if err := unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0); err != nil {
		t.Skip("huge pages cannot be denied to this process: ", err)
	}
	defer unix.Prctl(unix.PR_SET_THP_DISABLE, 0, 0, 0, 0)
	b, err := ipc.NewHugeBuffer(100)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Free()
	fill(b.Front(ipc.Headroom))
	if b.OnHugePages() {
		t.Error("it says that it lies on huge pages")
	}
}

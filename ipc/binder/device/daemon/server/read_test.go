package server_test

import (
	"fmt"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/internal/child"
	"ipcbench/internal/sys"
)

// readableVariable makes a process of this test binary one whose memory is read.
const readableVariable = "IPCBENCH_TEST_READABLE"

const readableSize = 1 << 20

// offerMemory says where memory lies, on small pages and on a huge one, and waits
// until it is ended or killed.
func offerMemory() error {
	small, err := filledMemory()
	if err != nil {
		return err
	}
	huge, err := hugeMemory()
	if err != nil {
		return err
	}
	fmt.Println(child.Ready)
	fmt.Println(small.addr, huge)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// hugeMemory is the address of memory that begins with a huge page, where the system
// gives one.
func hugeMemory() (addr uintptr, err error) {
	const hugePage = 2 << 20
	m, err := mapMemory(2 * hugePage)
	if err != nil {
		return 0, err
	}
	begin := -m.addr & (hugePage - 1)
	page := m.bytes[begin:][:hugePage]
	if err := unix.Madvise(page, unix.MADV_HUGEPAGE); err != nil {
		return 0, err
	}
	for i := range page {
		page[i] = byte(i)
	}
	return m.addr + begin, nil
}

func filledMemory() (m memory, err error) {
	if m, err = mapMemory(readableSize); err != nil {
		return m, err
	}
	for i := range m.bytes {
		m.bytes[i] = byte(i)
	}
	return m, nil
}

// BenchmarkRead is what the daemon's way of copying costs beside a copy within a
// process, both with all memory in the caches: the part of a call's time that a
// device whose payload moves by process_vm_readv cannot save.
func BenchmarkRead(b *testing.B) {
	other := part(b, readableVariable, "1")
	defer other.Kill()
	var small, huge uint64
	if _, err := fmt.Fscan(other.Out, &small, &huge); err != nil {
		b.Fatal(err)
	}
	region, err := unix.Mmap(-1, 0, readableSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANONYMOUS)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Munmap(region)
	from, err := filledMemory()
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Munmap(from.bytes)
	copy(region, from.bytes)
	for _, size := range []int{64, 4 << 10, 64 << 10, 1 << 20} {
		for i, address := range []uint64{small, huge} {
			b.Run(fmt.Sprintf("process_vm_readv/%s/%d", []string{"small", "huge"}[i], size), func(b *testing.B) {
				for b.Loop() {
					if n, err := sys.RawProcessRead(other.Process.Pid, address, region[:size]); err != nil || n != size {
						b.Fatal(n, err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("copy/%d", size), func(b *testing.B) {
			for b.Loop() {
				copy(region[:size], from.bytes)
			}
		})
	}
}

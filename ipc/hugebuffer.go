package ipc

import (
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
)

// hugePage is the size of a huge page in bytes where pages have 4 KiB.
const hugePage = 2 << 20

// NewHugeBuffer maps a buffer as NewBuffer does whose payload begins with a huge
// page and lies on such pages only, as far as the kernel has any: see OnHugePages.
// The headroom is on a small page in front of them. Every buffer takes at least one
// huge page of memory.
func NewHugeBuffer(n int) (*Buffer, error) {
	page := os.Getpagesize()
	payload := (max(n, 1) + hugePage - 1) &^ (hugePage - 1)
	mem, err := mapBuffer(n, hugePage+payload, 0)
	if err != nil {
		return nil, err
	}
	start := hugePage - int(sys.Address(mem)&(hugePage-1)) // at least a page
	b := &Buffer{mem: mem[:start+n], start: start, length: n, mapped: true}
	pages := mem[start : start+payload]
	asked := unix.Madvise(pages, unix.MADV_HUGEPAGE)
	for at := start - page; at < start+payload; at += page {
		mem[at] = 0
	}
	b.huge = asked == nil && unix.Madvise(pages, unix.MADV_COLLAPSE) == nil
	return b, nil
}

// OnHugePages says whether the kernel confirmed, when the buffer was made, that all
// of the payload lies on huge pages. A kernel before Linux 6.1 confirms nothing.
func (b *Buffer) OnHugePages() bool { return b.huge }

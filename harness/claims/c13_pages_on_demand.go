package claims

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/parcel"
)

var pagesOnDemand = Define(Meta{
	ID:        "C13",
	Statement: "The memory of a region is managed by the page: pages are there when they are needed, and kept on an LRU list (binder_lru_page).",
	Source:    "D1 1.2",
	Refutation: "Pages of a region that nobody used yet; more pages than the messages in it need; pages that go as soon as their " +
		"buffer does; a page that stays although one that was let go of later is taken.",
	Experiment: "The resident pages of a region are counted before its first message, with two messages in it, and after both " +
		"were freed; then the driver is asked for a few pages back, and for all of them. The kernel's driver is asked by " +
		"dropping caches. At last a message is received again.",
}, measurePages, judgePages)

// pageNumbers counts the resident pages of a region.
type pageNumbers struct {
	Region int // pages there could be
	Before int // before its first use
	Needed int // that two messages lie on
	Used   int // with both of them in it
	Kept   int // when both had been freed

	// Why the driver cannot be asked for pages; "" if it was.
	NoShrinker string `json:",omitempty"`
	// Some were asked for first, where the driver counts: of those taken,
	// OldestTaken lay under the message that was freed first.
	SomeTaken, OldestTaken int
	Left                   int // after all were asked for
	Reusable               bool
}

func judgePages(n pageNumbers) Judgement {
	text := fmt.Sprintf("of %d pages %d are resident before use, %d while messages lie on %d, %d after they were freed",
		n.Region, n.Before, n.Used, n.Needed, n.Kept)
	if n.NoShrinker == "" {
		text += fmt.Sprintf(", %d after the shrinker ran", n.Left)
	}
	if n.SomeTaken > 0 {
		text += fmt.Sprintf("; of the first %d pages that it took, %d are those freed first", n.SomeTaken, n.OldestTaken)
	}
	switch {
	case n.Needed == 0 || n.Region == 0:
		return Judgement{Verdict: Inconclusive, Text: text}
	case n.Before > 0, n.Used != n.Needed, n.Kept < n.Used, n.OldestTaken < n.SomeTaken, !n.Reusable:
		return Judgement{Verdict: Refuted, Text: text}
	case n.NoShrinker != "":
		return Judgement{Verdict: Conditional, Text: text,
			When: "only the first half is meant: pages come on demand and are kept, but are not given back: " + n.NoShrinker}
	case n.Left == n.Kept:
		return Judgement{Verdict: Inconclusive, Text: text + "; the shrinker took nothing"}
	case n.SomeTaken > 0:
		return Judgement{Verdict: Supported, Text: text, Confidence: "residency by mincore(2), and the order of the list"}
	}
	return Judgement{Verdict: Supported, Text: text, Confidence: "residency by mincore(2); the order of the list cannot be seen"}
}

// The two messages, in pages, and how many pages are asked for first.
const (
	firstPages, secondPages = 16, 8
	somePages               = 5
)

func measurePages(_ context.Context, _ *Bench, subject Subject) (n pageNumbers, err error) {
	s, err := openSession(subject, servantProps{})
	if err != nil {
		return n, err
	}
	defer closing(s.close, &err)
	page := os.Getpagesize()
	n.Region, n.Needed = binder.DefaultRegionSize()/page, firstPages+secondPages
	if n.Before, err = s.resident(0, n.Region); err != nil {
		return n, err
	}
	first, err := s.produce(firstPages*page, 1)
	if err != nil {
		return n, err
	}
	second, err := s.produce(secondPages*page, 1)
	if err != nil {
		return n, err
	}
	if n.Used, err = s.resident(0, n.Region); err != nil {
		return n, err
	}
	oldest := s.pageOf(first)
	s.free(first)
	s.free(second)
	if n.Kept, err = s.resident(0, n.Region); err != nil {
		return n, err
	}
	if err := s.shrink(&n, oldest); err != nil {
		return n, err
	}
	again, err := s.produce(firstPages*page, 2)
	if err != nil {
		return n, err
	}
	n.Reusable = binary.LittleEndian.Uint64(again.Bytes()) == 2
	s.free(again)
	return n, nil
}

// pageOf is the page of the region where a message begins.
func (s *session) pageOf(message *parcel.Parcel) int {
	return int(sys.Address(message.Bytes())-uint64(s.device.mapping.Addr())) / os.Getpagesize()
}

// resident counts the resident pages of the region among pages from the first on.
func (s *session) resident(first, pages int) (n int, err error) {
	page := os.Getpagesize()
	vector, err := sys.Resident(s.device.mapping.Addr()+uintptr(first*page), pages*page)
	for _, there := range vector {
		if there {
			n++
		}
	}
	return n, err
}

// shrink asks for some pages, then for all, where the driver counts, and
// otherwise has the kernel drop what its shrinkers can.
func (s *session) shrink(n *pageNumbers, oldest int) (err error) {
	shrinker, counts := s.device.file.(device.Shrinker)
	if counts {
		before, err := s.resident(oldest, firstPages)
		if err != nil {
			return err
		}
		n.SomeTaken, err = shrinker.Shrink(somePages)
		if err == nil {
			var after int
			if after, err = s.resident(oldest, firstPages); err != nil {
				return err
			}
			n.OldestTaken = before - after
			_, err = shrinker.Shrink(n.Region)
		}
		if errors.Is(err, errors.ErrUnsupported) {
			n.NoShrinker = err.Error()
			return nil
		}
		if err != nil {
			return err
		}
	} else if err := dropSlab(); err != nil {
		n.NoShrinker = err.Error()
		return nil
	}
	n.Left, err = s.resident(0, n.Region)
	return err
}

// dropSlab has the kernel run all shrinkers to their end, that of its Binder
// driver among them.
func dropSlab() error {
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("2"), 0)
}

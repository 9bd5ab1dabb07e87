package claims

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/parcel"
)

var fixedOffset = Define(Meta{
	ID:         "C5",
	Statement:  "Driver and process see a buffer at different addresses, which differ by a fixed amount.",
	Source:     "D2 part 1",
	Refutation: "Two buffers of one region whose two addresses differ by different amounts, or an amount of 0.",
	Experiment: "Buffers of many sizes are received and kept, each with a content of its own, which is then searched for in " +
		"every writable mapping of the region that a process has; where it is found, less where the receiver has it, is the offset.",
}, measureOffset, judgeOffset)

// offsetNumbers is where buffers were found.
type offsetNumbers struct {
	// Buffers that were kept.
	Buffers int
	// Windows are the driver's mappings of the region.
	Windows []windowOffsets
}

// windowOffsets is one mapping of a region, in a process, with the buffers that
// were found in it and their different offsets: driver's address less receiver's.
type windowOffsets struct {
	PID, Found int
	Offsets    []int64
}

func judgeOffset(n offsetNumbers) Judgement {
	j := Judgement{Verdict: Supported, Confidence: "each buffer was found by its content"}
	j.Text = fmt.Sprintf("%d buffers", n.Buffers)
	if n.Buffers < 2 || len(n.Windows) == 0 {
		return Judgement{Verdict: Inconclusive, Text: j.Text + ", and no mapping of the driver's"}
	}
	for _, w := range n.Windows {
		j.Text += fmt.Sprintf("; in the driver's mapping in process %d %d of them, %d offsets", w.PID, w.Found, len(w.Offsets))
		switch {
		case w.Found < n.Buffers && j.Verdict == Supported:
			j = Judgement{Verdict: Inconclusive, Text: j.Text}
		case len(w.Offsets) != 1 || w.Offsets[0] == 0:
			j = Judgement{Verdict: Refuted, Text: j.Text}
		default:
			j.Text += fmt.Sprintf(" (%+#x)", w.Offsets[0])
		}
	}
	return j
}

// offsetSizes are kept in turn.
var offsetSizes = []int{64, 200, 1000, 4096, 5000, 8, 16384}

const offsetBuffers = 140

func measureOffset(_ context.Context, _ *Bench, subject Subject) (n offsetNumbers, err error) {
	s, err := openSession(subject, servantProps{})
	if err != nil {
		return n, err
	}
	defer closing(s.close, &err)
	var kept []*parcel.Parcel
	for i := range offsetBuffers {
		reply, err := s.produce(offsetSizes[i%len(offsetSizes)], offsetStamp(i))
		if err != nil {
			return n, err
		}
		kept = append(kept, reply)
	}
	n.Buffers = len(kept)
	mine, err := mappingAt(sys.Address(kept[0].Bytes()))
	if err != nil {
		return n, err
	}
	others, err := mine.others()
	if err != nil {
		return n, err
	}
	for _, window := range others {
		if window.Writable {
			n.Windows = append(n.Windows, searchWindow(window, kept))
		}
	}
	if len(n.Windows) == 0 {
		return n, fmt.Errorf("no process has a mapping of the driver's: since Linux 5.1 the kernel's driver reaches a region page by "+
			"page and has no mapping with an address of its own: %w", errors.ErrUnsupported)
	}
	return n, nil
}

// offsetStamp is the content that a buffer begins with.
func offsetStamp(i int) uint64 { return 0xb1de_0000_0000_0000 | uint64(i)<<24 }

// searchWindow finds the buffers in a mapping of the driver's.
func searchWindow(window mapping, kept []*parcel.Parcel) windowOffsets {
	w := windowOffsets{PID: window.PID}
	content := make([]byte, window.End-window.Start)
	page := os.Getpagesize()
	for at := 0; at+page <= len(content); at += page {
		_ = peek(window.PID, window.Start+uint64(at), content[at:at+page]) // beyond the storage there is nothing
	}
	seen := map[int64]bool{}
	for i, reply := range kept {
		var stamp [8]byte
		binary.LittleEndian.PutUint64(stamp[:], offsetStamp(i))
		at := bytes.Index(content, stamp[:])
		if at < 0 {
			continue
		}
		w.Found++
		offset := int64(window.Start) + int64(at) - int64(sys.Address(reply.Bytes()))
		if !seen[offset] {
			seen[offset] = true
			w.Offsets = append(w.Offsets, offset)
		}
	}
	return w
}

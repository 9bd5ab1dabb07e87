package claims

import (
	"context"
	"fmt"
	"os"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/parcel"
)

var sameMemory = Define(Meta{
	ID: "C4",
	Statement: "The driver maps one piece of physical memory twice, into its own space and into the receiving process's: what " +
		"it stores through the one is there in the other.",
	Source: "D1 1.1, 1.2; D2 part 1",
	Refutation: "A page of the receiver's mapping and the same page of the driver's that are different physical frames, or a " +
		"byte written through the one that cannot be read through the other.",
	Experiment: "Replies are received and kept. For each of their pages, all mappings of the same memory that any process has " +
		"are looked up and the physical frame numbers compared; a byte is written through each writable one and read " +
		"through the receiver's. Where no process has one, the receiver looks whether a later message appears in the same " +
		"frame although its own mapping cannot write.",
}, measureSameMemory, judgeSameMemory)

// memoryNumbers is what two views of a region have in common.
type memoryNumbers struct {
	// ReceiverWritable: the receiver's own mapping lets it write.
	ReceiverWritable bool
	// Windows are the writable mappings of the region's memory in other processes
	// or places, and Held by how many processes.
	Windows, Holders int
	// Frames that were compared, one a page and window, and those that are Equal;
	// both 0 where the kernel does not tell.
	Frames, Equal int
	// Poked bytes, one a page and window, and those that were Seen.
	Poked, Seen int
	// Later messages that came to lie in a place of an earlier one, and those of
	// them that found the same frame there.
	Later, SameFrame int
}

func judgeSameMemory(n memoryNumbers) Judgement {
	text := fmt.Sprintf("%d writable mappings of the region, in %d processes, beside the receiver's read-only one; %d of %d frame numbers "+
		"equal; %d of %d bytes written through one read through the other; %d of %d later messages in the same frame",
		n.Windows, n.Holders, n.Equal, n.Frames, n.Seen, n.Poked, n.SameFrame, n.Later)
	switch {
	case n.Equal < n.Frames, n.Seen < n.Poked:
		return Judgement{Verdict: Refuted, Text: text}
	case n.Poked > 0 && n.Frames > 0:
		return Judgement{Verdict: Supported, Text: text, Confidence: "physical frame numbers, and bytes written and read"}
	case n.Poked > 0:
		return Judgement{Verdict: Supported, Text: text,
			Confidence: "bytes written and read; the kernel does not tell this user the frame numbers"}
	case n.Later > 0 && n.SameFrame == n.Later && !n.ReceiverWritable:
		return Judgement{Verdict: Supported, Text: text,
			Confidence: "the receiver's side alone: its frames change although no process can write them, so the kernel does; " +
				"the kernel's own mapping cannot be looked at from here"}
	}
	return Judgement{Verdict: Inconclusive, Text: text}
}

const (
	memoryReplies   = 16
	memoryReplySize = 20000
)

func measureSameMemory(_ context.Context, _ *Bench, subject Subject) (n memoryNumbers, err error) {
	s, err := openSession(subject, servantProps{})
	if err != nil {
		return n, err
	}
	defer closing(s.close, &err)
	var kept []*parcel.Parcel
	for i := range memoryReplies {
		reply, err := s.produce(memoryReplySize, uint64(i)<<32)
		if err != nil {
			return n, err
		}
		kept = append(kept, reply)
	}
	mine, err := mappingAt(sys.Address(kept[0].Bytes()))
	if err != nil {
		return n, err
	}
	n.ReceiverWritable = mine.Writable
	if err := n.compare(mine, kept); err != nil {
		return n, err
	}
	for _, reply := range kept {
		reply.Reset()
	}
	return n, n.later(s)
}

// compare looks at every page of the replies through every other mapping.
func (n *memoryNumbers) compare(mine mapping, kept []*parcel.Parcel) error {
	others, err := mine.others()
	if err != nil {
		return err
	}
	holders := map[int]bool{}
	for _, window := range others {
		if !window.Writable {
			continue
		}
		n.Windows++
		holders[window.PID] = true
		for _, reply := range kept {
			b := reply.Bytes()
			for at := 0; at < len(b); at += os.Getpagesize() {
				if err := n.page(mine, window, b[at:]); err != nil {
					return err
				}
			}
		}
	}
	n.Holders = len(holders)
	return nil
}

// page compares one page in two mappings, and writes its first byte through the
// window.
func (n *memoryNumbers) page(mine, window mapping, b []byte) error {
	here := sys.Address(b)
	there := mine.corresponding(here, window)
	changed := []byte{^b[0]}
	if err := poke(window.PID, there, changed); err != nil {
		return fmt.Errorf("write through the mapping of process %d: %w", window.PID, err)
	}
	n.Poked++
	if b[0] == changed[0] {
		n.Seen++
	}
	if ours, theirs := frame(mine.PID, here), frame(window.PID, there); ours != 0 && theirs != 0 {
		n.Frames++
		if ours == theirs {
			n.Equal++
		}
	}
	return nil
}

// later receives message after message in one place, and looks whether each
// appears in the frame of the one before.
func (n *memoryNumbers) later(s *session) error {
	var place, before uint64
	for i := range memoryReplies {
		reply, err := s.produce(memoryReplySize, uint64(i+1)<<48)
		if err != nil {
			return err
		}
		b := reply.Bytes()
		here, first := sys.Address(b), b[6] // the low byte of the count in the stamp
		now := frame(os.Getpid(), here)
		if i > 0 && here == place && first == byte(i+1) && now != 0 {
			n.Later++
			if now == before {
				n.SameFrame++
			}
		}
		place, before = here, now
		reply.Reset()
	}
	return nil
}

package claims

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder"
)

var atMost4MiB = Define(Meta{
	ID: "C11",
	Statement: "A process gets at most 4 MB of Binder memory; when it maps it, the driver checks that size and flags are what " +
		"they must be.",
	Source:     "D1 1.2; D2 part 2",
	Refutation: "A message of more than 4 MiB that arrives, however large the mapping, or a mapping that its process can write.",
	Experiment: "1 MiB less two pages, 4 MiB and 8 MiB are mapped, and the largest message that arrives in each is searched " +
		"for, in steps of 8 bytes. Writable mappings, making one writable, and a second mapping are tried.",
}, measureMapping, judgeMapping)

// mappingNumbers is what could be mapped and used.
type mappingNumbers struct {
	Sizes []mappedSize
	// What became of attempts, as errnos; "" where it succeeded.
	PrivateWritable, SharedWritable, MadeWritable, Second string
}

// mappedSize is a mapping and the largest message that arrives in it, in bytes.
// Refused is the errno if there is no such mapping.
type mappedSize struct {
	Mapped, Usable int
	Refused        string `json:",omitempty"`
}

const mappingLimit = 4 << 20

func judgeMapping(n mappingNumbers) Judgement {
	parts := []string{fmt.Sprintf("mapping writable: private %s, shared %s; made writable: %s; a second mapping: %s",
		orDone(n.PrivateWritable), orDone(n.SharedWritable), orDone(n.MadeWritable), orDone(n.Second))}
	over, largest, short := false, 0, false
	for _, m := range n.Sizes {
		if m.Refused != "" {
			parts = append(parts, fmt.Sprintf("%d bytes: %s", m.Mapped, m.Refused))
			continue
		}
		parts = append(parts, fmt.Sprintf("of %d mapped bytes %d can be used", m.Mapped, m.Usable))
		over = over || m.Usable > mappingLimit
		short = short || m.Usable < min(m.Mapped, mappingLimit)
		largest = max(largest, m.Mapped)
	}
	text := strings.Join(parts, "; ")
	writable := n.PrivateWritable == "" || n.SharedWritable == "" || n.MadeWritable == ""
	switch {
	case over || writable:
		return Judgement{Verdict: Refuted, Text: text}
	case len(n.Sizes) == 0 || short:
		return Judgement{Verdict: Inconclusive, Text: text}
	}
	j := Judgement{Verdict: Supported, Text: text, Confidence: "the limit was found to 8 bytes"}
	if largest > mappingLimit {
		j.Confidence += "; a larger mapping is not refused, what is beyond the limit is not used"
	}
	return j
}

func orDone(errno string) string {
	if errno == "" {
		return "done"
	}
	return errno
}

func measureMapping(_ context.Context, _ *Bench, subject Subject) (n mappingNumbers, err error) {
	for _, size := range []int{binder.DefaultRegionSize(), mappingLimit, 2 * mappingLimit} {
		m, err := measureUsable(subject, size)
		if err != nil {
			return n, err
		}
		n.Sizes = append(n.Sizes, m)
	}
	return n, n.attempts(subject)
}

// measureUsable finds the largest message that arrives in a mapping.
func measureUsable(subject Subject, size int) (m mappedSize, err error) {
	m.Mapped = size
	s, err := openSession(subject, servantProps{}, binder.WithRegionSize(size))
	if errno := unix.Errno(0); errors.As(err, &errno) && !errors.Is(err, errors.ErrUnsupported) {
		m.Refused = unix.ErrnoName(errno)
		return m, nil
	}
	if err != nil {
		return m, err
	}
	defer closing(s.close, &err)
	low, high := 0, size/8+1 // the one arrives, the other cannot
	for high-low > 1 {
		middle := (low + high) / 2
		reply, err := s.produce(8*middle, 0)
		switch {
		case err == nil:
			reply.Reset()
			low = middle
		case errors.Is(err, binder.FailedTransaction):
			high = middle
		default:
			return m, err
		}
	}
	m.Usable = 8 * low
	return m, nil
}

// attempts tries what a receiver must not have.
func (n *mappingNumbers) attempts(subject Subject) (err error) {
	s, err := openContext(subject)
	if err != nil {
		return err
	}
	defer closing(s.close, &err)
	dev, err := subject.Open(s.place)
	if err != nil {
		return err
	}
	s.device = &remembering{Device: dev}
	f, err := dev.Open(0)
	if err != nil {
		return err
	}
	defer closing(f.Close, &err)
	const readWrite = unix.PROT_READ | unix.PROT_WRITE
	size := binder.DefaultRegionSize()
	for _, try := range []struct {
		flags int
		said  *string
	}{{unix.MAP_PRIVATE, &n.PrivateWritable}, {unix.MAP_SHARED, &n.SharedWritable}} {
		m, err := f.Mmap(size, readWrite, try.flags)
		if *try.said = errnoName(err); err == nil {
			return m.Unmap(0, m.Len())
		}
	}
	m, err := f.Mmap(size, unix.PROT_READ, unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return err
	}
	n.MadeWritable = errnoName(m.Protect(readWrite))
	_, err = f.Mmap(size, unix.PROT_READ, unix.MAP_PRIVATE)
	n.Second = errnoName(err)
	return m.Unmap(0, m.Len())
}

// errnoName is the name of the errno in an error, "" for none.
func errnoName(err error) string {
	var errno unix.Errno
	switch {
	case err == nil:
		return ""
	case errors.As(err, &errno):
		return unix.ErrnoName(errno)
	}
	return err.Error()
}

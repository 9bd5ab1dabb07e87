// Package workload is the work that is measured: how payloads are produced and
// consumed, and how large they are in each workload.
//
// Timed work touches every cache line: the producer stores the operation's
// stamp into each line of its buffer, the consumer loads each line and checks
// it. Verified work fills and checks every byte. The loops are the same for
// every transport.
package workload

import "encoding/binary"

// Line is the size of a cache line in bytes.
const Line = 64

// Produce writes the stamp into every cache line of p: 8 bytes at the start of
// each line, or as many as a short last line holds.
func Produce(p []byte, stamp uint64) {
	for ; len(p) >= Line; p = p[Line:] {
		binary.LittleEndian.PutUint64(p, stamp)
	}
	putShort(p, stamp)
}

func putShort(p []byte, stamp uint64) {
	if len(p) >= 8 {
		binary.LittleEndian.PutUint64(p, stamp)
		return
	}
	for i := range p {
		p[i] = byte(stamp >> (8 * i))
	}
}

// Consume reads every cache line of p and reports whether each carries the
// stamp.
func Consume(p []byte, stamp uint64) bool {
	var differ uint64
	for ; len(p) >= Line; p = p[Line:] {
		differ |= binary.LittleEndian.Uint64(p) ^ stamp
	}
	return differ|(Stamp(p)^(stamp&shortMask(len(p)))) == 0
}

// Stamp is the stamp at the start of p, or as much of it as p holds.
func Stamp(p []byte) (stamp uint64) {
	if len(p) >= 8 {
		return binary.LittleEndian.Uint64(p)
	}
	for i, b := range p {
		stamp |= uint64(b) << (8 * i)
	}
	return stamp
}

func shortMask(n int) uint64 {
	if n >= 8 {
		return ^uint64(0)
	}
	return 1<<(8*n) - 1
}

// Fill writes a byte stream that depends on the seed into p.
func Fill(p []byte, seed uint64) {
	s := stream(seed)
	for ; len(p) >= 8; p = p[8:] {
		binary.LittleEndian.PutUint64(p, s.next())
	}
	putShort(p, s.next())
}

// Matches reports whether p holds what Fill with the same seed writes.
func Matches(p []byte, seed uint64) bool {
	s := stream(seed)
	for ; len(p) >= 8; p = p[8:] {
		if binary.LittleEndian.Uint64(p) != s.next() {
			return false
		}
	}
	return Stamp(p) == s.next()&shortMask(len(p))
}

// stream is SplitMix64 (Steele, Lea, Flood 2014): any seed gives a stream of its
// own, and no state but the counter.
type stream uint64

func (s *stream) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

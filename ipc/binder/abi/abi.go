// Package abi is the user-space interface of the Binder driver in Go: every
// BC_ and BR_ command, every ioctl, structure and flag, with the numbers and
// layouts that the kernel's header include/uapi/linux/android/binder.h gives
// them on 64-bit machines, and a codec for command streams.
//
// Names are the header's own, with the prefixes that C needs (struct binder_,
// enum) left out where Go's package name says the same. Command numbers are
// computed from direction, letter, number and payload size as the header
// computes them; structure sizes are asserted when this package is compiled.
//
// The codec neither allocates nor trusts: encoders write into a slice that the
// caller lends and remember when it was too short, decoders check every length
// against the bytes that are there.
package abi

// CurrentProtocolVersion is what BINDER_VERSION answers (64-bit interface).
const CurrentProtocolVersion = 8

// Bits of an ioctl or command number, as asm-generic/ioctl.h lays them out.
const (
	dirWrite = 1
	dirRead  = 2

	numberBits = 8
	letterBits = 8
	sizeBits   = 14

	letterShift = numberBits
	sizeShift   = letterShift + letterBits
	dirShift    = sizeShift + sizeBits
	sizeMask    = 1<<sizeBits - 1
)

// payloadSize is the number of payload bytes that a command number announces.
func payloadSize(code uint32) int { return int(code >> sizeShift & sizeMask) }

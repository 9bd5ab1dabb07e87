package evidence

import "encoding/binary"

// Where a signal frame of an amd64 kernel has the vector registers, in bytes: it is
// the processor's FXSAVE image, which the kernel marks in the part left to software
// (struct _fpx_sw_bytes of asm/sigcontext.h).
const (
	savedVectors = 160
	vectorSize   = 16
	vectors      = 16
	frameMark    = 464
	frameMagic   = 0x46505853
)

// inSignalFrame says whether size bytes of memory are vector registers that a signal
// saved on a stack. Small copies go through them, and what was copied last stays there
// for as long as the thread sleeps, so that any signal makes a place of it.
func inSignalFrame(content []byte, at, size int) bool {
	for v := 0; v*vectorSize+size <= vectors*vectorSize; v++ {
		mark := at - v*vectorSize - savedVectors + frameMark
		if mark+4 <= len(content) && binary.LittleEndian.Uint32(content[mark:]) == frameMagic {
			return true
		}
	}
	return false
}

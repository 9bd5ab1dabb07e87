package binder

import (
	"runtime"

	"ipcbench/internal/sys"
)

// pinned is the payload that a thread handed to the driver last, as an address that
// Go's runtime does not see. It stays pinned until the next one: who sends from the
// same memory again and again has it pinned once.
type pinned struct {
	pinner runtime.Pinner
	first  *byte
}

// address pins a payload that is not empty, in the place of the one before, and is
// where it lies.
func (p *pinned) address(payload []byte) uint64 {
	if first := &payload[0]; first != p.first {
		p.unpin()
		p.pinner.Pin(first)
		p.first = first
	}
	return sys.Address(payload)
}

func (p *pinned) unpin() {
	p.pinner.Unpin()
	p.first = nil
}

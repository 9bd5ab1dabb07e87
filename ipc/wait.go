package ipc

import (
	"fmt"
	"time"
)

// Wait is how an end of a channel waits for the other.
type Wait uint8

const (
	// Block sleeps in the kernel at once.
	Block Wait = iota
	// Adaptive looks for AdaptiveSpin, then sleeps.
	Adaptive
	// Spin never sleeps.
	Spin
)

// AdaptiveSpin is how long an adaptive wait looks before it sleeps: several
// times the cost of a wake-up across CPUs, so that it pays when the answer is
// near and is bounded when it is not.
const AdaptiveSpin = 50 * time.Microsecond

// Waits lists all waits in the order of the constants.
var Waits = []Wait{Block, Adaptive, Spin}

var waitNames = [...]string{"block", "adaptive", "spin"}

// String is the name that flags and results use.
func (w Wait) String() string {
	if int(w) < len(waitNames) {
		return waitNames[w]
	}
	return fmt.Sprintf("wait(%d)", uint8(w))
}

// ParseWait is the inverse of String.
func ParseWait(s string) (Wait, error) {
	for i, name := range waitNames {
		if s == name {
			return Wait(i), nil
		}
	}
	return 0, fmt.Errorf("unknown wait %q (have block, adaptive, spin)", s)
}

// MarshalText writes the name.
func (w Wait) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText reads a name.
func (w *Wait) UnmarshalText(b []byte) (err error) {
	*w, err = ParseWait(string(b))
	return err
}

// Package floor measures what the machine allows at best, in the same run and
// by the same workers as the transports: it offers its floors as transports
// that are in no registry.
//
//   - composite: the same two processes, produce, one memcpy into shared
//     memory, futex wake, consume, and back; no framing, no checks.
//   - broker: the same through a third process, which only passes the wake on.
//   - futex: the composite floor with nothing to carry, blocking.
//   - cacheline: the composite floor with nothing to carry, spinning: what it
//     costs to move a cache line there and back.
//   - memcpy: one process copies from one private buffer into another.
package floor

// Package party is a participant of a conformance test: a process that has
// Binder files open and does with them what the test tells it, thread by
// thread. The test holds a Client; the process runs an agent. Between the two
// is net/rpc, over pipes to a process of its own, or over memory for devices
// whose participants share the process of the test.
package party

import "syscall"

// Result is what an operation of an agent came to: an errno, or a value. Any
// other error is one of the test itself and ends it.
type Result[T any] struct {
	Errno syscall.Errno
	Value T
}

// None is the value of operations that have none.
type None struct{}

// OpenArgs are open(2)'s: flags of it that matter to Binder.
type OpenArgs struct{ Flags int }

// MapArgs are mmap(2)'s of a file.
type MapArgs struct{ File, Length, Prot, Flags int }

// Region is where a mapping is.
type Region struct {
	ID   int
	Addr uint64
}

// ProtectArgs are mprotect(2)'s of a whole mapping.
type ProtectArgs struct{ Region, Prot int }

// UnmapArgs are munmap(2)'s of a part of a mapping.
type UnmapArgs struct{ Region, Offset, Length int }

// Issue names the thread that issues a call, the file it is for, and the
// number of the call on this thread, counted from 1.
type Issue struct {
	Thread int32
	Number int64
	File   int
}

// ControlArgs are an ioctl's with a structure as argument, in and out.
type ControlArgs struct {
	Issue
	Request uint32
	Arg     []byte
}

// IoctlArgs are an ioctl's with the bare argument.
type IoctlArgs struct {
	Issue
	Request uint32
	Arg     uint64
}

// WriteReadArgs are those of BINDER_WRITE_READ. Unless Interruptible, a call
// that a signal interrupts is issued again, as every client has to: the Go
// runtime signals its threads on its own account.
type WriteReadArgs struct {
	Issue
	Interruptible bool
	Write         []byte
	WriteConsumed uint64
	ReadSize      uint64
	ReadConsumed  uint64
}

// WriteReadValue is what the call left in its argument and its read buffer.
// It is filled in when the call failed, too.
type WriteReadValue struct {
	Errno         syscall.Errno
	WriteConsumed uint64
	ReadConsumed  uint64
	Read          []byte // the whole read buffer
}

// PollArgs are poll(2)'s.
type PollArgs struct {
	Issue
	TimeoutMS int
}

// LoadArgs name memory of the party.
type LoadArgs struct {
	Addr uint64
	N    int
}

// FDArgs name a descriptor of the party and bytes for it.
type FDArgs struct {
	FD    int
	Bytes []byte
	N     int
}

// NiceArgs name a thread and its nice value.
type NiceArgs struct {
	Thread int32
	Nice   int
}

// ForkArgs name what a forked child tries: to map the file, and to look
// whether the region is there.
type ForkArgs struct {
	File   int
	Region int
}

// ForkValue is what it saw.
type ForkValue struct {
	Map  syscall.Errno // of mmap of the inherited file
	Look syscall.Errno // of mincore of the inherited region, ENOMEM where nothing is mapped
}

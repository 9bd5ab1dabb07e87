// Package binder lets a Go program use Binder: it opens a device, serves calls
// on objects of its own, and calls those of other processes. It mirrors
// libbinder (Android 14): ProcessState, IPCThreadState, BBinder (here Binder),
// BpBinder (here Proxy), with the same conversation with the driver and the same
// bytes on the wire. It knows the device interface and no driver, so the same
// code runs on the driver written in Go and on the kernel's.
//
// A process opens a device once (Open), which makes it a binder_proc with a
// receive region and a pool of threads. A server wraps a Handler into a Binder
// and gives it away in a Parcel, mostly to the service manager (package
// servicemanager); whoever reads it there gets a Proxy.
//
// # Goroutines and threads
//
// The driver keeps a transaction stack for each thread: a call that comes back
// to the process which waits for it is served by the waiting thread. So a
// goroutine is locked to its OS thread for the length of a call, and a handler
// runs on the looper thread that read the transaction. Calls that a handler
// makes itself are nested; a goroutine that a handler starts is outside the
// transaction stack, and what it calls is a transaction of its own.
//
// Any goroutine may call. At most WithMaxCallers of them are inside the driver at
// once; further ones wait. Calls from handlers do not count.
//
// # Memory
//
// The protocol carries addresses as numbers, which Go's collector does not
// see. Command buffers therefore lie in mapped memory, a piece for each thread,
// and payload is pinned while the driver copies it. Received data lies in the
// receive region, read-only and where the driver put it, until its Parcel is
// reset.
//
// # Lock order
//
// ProcessState.proxies, then ProcessState.threads. The locks of deaths and
// locals are leaves. No lock is held while a handler or a death recipient runs
// or while the driver may block; the lock of proxies is held over the write,
// which never blocks, that takes or drops the driver's reference.
//
// # Speed
//
// A tenth of what a short call costs above its two switches of threads goes when the
// program is compiled with a profile of itself (go build -pgo), as ipcbench is.
//
// # Known gaps
//
// A call cannot be cancelled: the protocol has no command for it. A process
// that has no thread in the pool gets no death notices, as with libbinder. Freeze
// notifications and scatter-gather transactions are not offered.
package binder

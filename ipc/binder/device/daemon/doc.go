// Package daemon is the Binder device of processes that do not trust each other.
// The driver runs in a process of its own (package server; ipcbench binder
// daemon), which alone can write the driver's records and every process's receive
// region. This package is the client.
//
// A connection to the daemon's socket is an open file, and serves for what is
// rare. Calls go through a page that each thread shares with the daemon, and two
// futexes in it: the thread writes the ioctl, its argument and the commands that
// it points to into the page, and finds there what it has to read. The payload
// goes a shorter way: the daemon copies it once, by process_vm_readv, from the
// sender's memory into the receiver's region.
//
// # Trust
//
// A client trusts the daemon with all of its memory, which it allows the daemon
// to read (PR_SET_PTRACER, where Yama restricts that). The daemon trusts no
// client; see package server. Clients need not trust each other.
//
// # Known gaps
//
// A process that uses two daemons can allow only one of them to read it where Yama
// is at work. A thread whose read buffer cannot be written to gets EFAULT and
// loses what it was to read, and who called it is not told. A page of the region
// that holds no buffer reads as zeros instead of raising SIGBUS, and the region
// never gives storage back: its file is sealed. A forked child has no device.
package daemon

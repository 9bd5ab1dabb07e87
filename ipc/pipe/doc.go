// Package pipe carries messages over pairs of pipes, one pipe a direction: made
// by pipe2(2) or by mkfifo(3).
//
// The transports pipe and fifo enter the kernel raw; pipe-syscall does the same
// calls through the Go scheduler, and pipe-netpoll uses os.File as any Go
// program does.
//
// Known gaps: interrupting a blocked call needs /proc mounted, since close(2)
// does not wake who is in read(2) or write(2).
package pipe

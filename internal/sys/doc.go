// Package sys holds every raw system call and every use of unsafe outside the
// Binder driver's arena: one file a family of calls.
//
// Calls come in two kinds. Raw ones (RawSyscall) do not tell the Go scheduler
// that the thread may block: fast and steady, and only for threads whose
// process parks its collector. Safe ones (Syscall) do. Each function says
// which it is. None allocates.
package sys

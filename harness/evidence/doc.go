// Package evidence checks the copy ledger against sources that do not come from
// it: the kernel's tracepoints, breakpoints at its copy functions, and a search of
// both processes' memory.
//
// The harness runs it in a pass of its own, never inside the clock: an enabled
// tracepoint slows every system call.
//
// # Accounting cross-check
//
// A [Tracer] follows threads of other processes through perf_event_open: the
// tracepoints raw_syscalls:sys_enter and raw_syscalls:sys_exit, counted and
// sampled, one ring buffer a thread. These two see every system call with its
// number, arguments and return value, so that calls the ledger has never heard
// of are seen as well; the tracepoints of single calls (syscalls:sys_enter_read
// and so on) would say the same of fewer calls with fifteen times the
// descriptors. The [Account] pairs enter and exit and sums them by call and
// descriptor; [CrossCheck] compares it with the ledger. It confirms the
// arithmetic (how often, how many bytes), not how often the kernel copied them
// inside the call. [CrossCheck] says which calls it puts down to the Go
// runtime.
//
// The threads must be at rest when Start and Stop are called. A call counts where
// it returns, as it does in a ledger: one that is under way at Start is looked up
// in /proc/PID/task/TID/syscall and counts, one under way at Stop does not.
//
// # Kernel copies
//
// A [CopyTracer] counts what the kernel's own copy functions are asked to move, in
// calls and bytes, on the same threads: copies inside a system call, which neither
// the account nor the scan can see. It sets the processor's breakpoints at the
// functions, through perf_event_open, and samples the register that holds the number
// of bytes. Kprobes, and eBPF programs on them, are refused there: distributions
// build these functions without the hooks for tracing (seen: "Could not probe notrace
// function _copy_from_iter"). [CheckKernelCopies] compares with the ledger. Known
// gap: a kernel that copies in line, without calling them, is not seen to; it was
// tried on 6.12.
//
// # Canary scan
//
// [Scan] searches the memory of processes for a payload and counts the distinct
// places that hold it, merging mappings of the same bytes of one object;
// [CheckCanary] compares with the copies that the ledger says ended in memory
// that user code can see. It sees copies that no system call made; it does not
// see a copy inside the kernel, nor one that was overwritten before the scan.
// Vector registers that a signal saved are no place; known gap: they are told on
// amd64 only, elsewhere a signal may leave a place more of a payload of up to 256
// bytes. The payload must be generated where it is produced, by a generator that
// keeps no run of its output (not ChaCha8).
//
// Where a source is not permitted, lost records, or does not apply, the
// [Finding] says so.
package evidence

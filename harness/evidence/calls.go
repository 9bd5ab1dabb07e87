package evidence

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// call is what is known of a system call.
type call struct {
	name string
	// object is the argument that names what the call works on: a
	// descriptor, a queue's id, a process; none if below 0.
	object int
	// amount is the argument that says how many bytes a successful call
	// moved; fromReturn where the return value does, unsaid where nothing
	// does.
	amount int
	// way the payload goes.
	way way
}

const (
	fromReturn = -1
	unsaid     = -2
)

// way says where the bytes of a call go.
type way uint8

const (
	// nothing is moved.
	nothing way = iota
	// intoKernel: into memory of the kernel, which no process sees.
	intoKernel
	// intoUser: into memory that a process sees.
	intoUser
)

// calls are those that transports make. A call that is not here counts as a
// transport's too, under its number.
var calls = map[int64]call{
	unix.SYS_READ:              {"read", 0, fromReturn, intoUser},
	unix.SYS_WRITE:             {"write", 0, fromReturn, intoKernel},
	unix.SYS_READV:             {"readv", 0, fromReturn, intoUser},
	unix.SYS_WRITEV:            {"writev", 0, fromReturn, intoKernel},
	unix.SYS_SENDTO:            {"sendto", 0, fromReturn, intoKernel},
	unix.SYS_RECVFROM:          {"recvfrom", 0, fromReturn, intoUser},
	unix.SYS_SENDMSG:           {"sendmsg", 0, fromReturn, intoKernel},
	unix.SYS_RECVMSG:           {"recvmsg", 0, fromReturn, intoUser},
	unix.SYS_MSGSND:            {"msgsnd", 0, 2, intoKernel},
	unix.SYS_MSGRCV:            {"msgrcv", 0, fromReturn, intoUser},
	unix.SYS_MQ_TIMEDSEND:      {"mq_timedsend", 0, 2, intoKernel},
	unix.SYS_MQ_TIMEDRECEIVE:   {"mq_timedreceive", 0, fromReturn, intoUser},
	unix.SYS_PROCESS_VM_READV:  {"process_vm_readv", 0, fromReturn, intoUser},
	unix.SYS_PROCESS_VM_WRITEV: {"process_vm_writev", 0, fromReturn, intoUser},
	unix.SYS_SPLICE:            {"splice", 0, fromReturn, intoKernel},
	unix.SYS_VMSPLICE:          {"vmsplice", 0, fromReturn, intoKernel},

	// Binder's ioctl moves payload into the receiver's region, and returns 0.
	unix.SYS_IOCTL: {"ioctl", 0, unsaid, intoUser},

	unix.SYS_FUTEX:      {name: "futex", object: -1},
	unix.SYS_SEMOP:      {name: "semop", object: 0},
	unix.SYS_SEMTIMEDOP: {name: "semtimedop", object: 0},
	unix.SYS_PPOLL:      {name: "ppoll", object: -1},
}

// runtimeCalls are those that the Go runtime makes for itself, on any thread of
// a program: to park and wake threads, to preempt them, to manage memory.
var runtimeCalls = map[int64]string{
	unix.SYS_EPOLL_PWAIT:       "epoll_pwait",
	unix.SYS_EPOLL_CTL:         "epoll_ctl",
	unix.SYS_NANOSLEEP:         "nanosleep",
	unix.SYS_SCHED_YIELD:       "sched_yield",
	unix.SYS_TGKILL:            "tgkill",
	unix.SYS_GETPID:            "getpid",
	unix.SYS_GETTID:            "gettid",
	unix.SYS_RT_SIGRETURN:      "rt_sigreturn",
	unix.SYS_RT_SIGPROCMASK:    "rt_sigprocmask",
	unix.SYS_SIGALTSTACK:       "sigaltstack",
	unix.SYS_RESTART_SYSCALL:   "restart_syscall",
	unix.SYS_MMAP:              "mmap",
	unix.SYS_MUNMAP:            "munmap",
	unix.SYS_MADVISE:           "madvise",
	unix.SYS_PRCTL:             "prctl",
	unix.SYS_MPROTECT:          "mprotect",
	unix.SYS_CLONE:             "clone",
	unix.SYS_CLONE3:            "clone3",
	unix.SYS_RSEQ:              "rseq",
	unix.SYS_SET_ROBUST_LIST:   "set_robust_list",
	unix.SYS_SCHED_GETAFFINITY: "sched_getaffinity",
	unix.SYS_EXIT:              "exit",
	unix.SYS_PREAD64:           "pread64",
}

// futexPrivate marks a futex that only one process uses: the runtime's, for a
// transport waits for another process.
const futexPrivate = 128

// isRuntimes reports whether the Go runtime made a call for itself.
func isRuntimes(nr int64, args [6]int64) bool {
	if nr == unix.SYS_FUTEX {
		return args[1]&futexPrivate != 0
	}
	_, known := runtimeCalls[nr]
	return known
}

// lookup describes any call.
func lookup(nr int64) call {
	if c, known := calls[nr]; known {
		return c
	}
	if name, known := runtimeCalls[nr]; known {
		return call{name: name, object: -1}
	}
	return call{name: fmt.Sprintf("syscall_%d", nr), object: -1}
}

// byName finds a call that transports make.
func byName(name string) (call, bool) {
	for _, c := range calls {
		if c.name == name {
			return c, true
		}
	}
	return call{}, false
}

// done is one system call, from its entry to its return.
type done struct {
	nr     int64
	args   [6]int64
	result int64
}

// bytes is how many the call moved.
func (d done) bytes() uint64 {
	c := lookup(d.nr)
	switch {
	case c.way == nothing || c.amount == unsaid || d.result < 0:
		return 0
	case c.amount == fromReturn:
		return uint64(d.result)
	default:
		return uint64(d.args[c.amount])
	}
}

// object is what the call worked on, or -1.
func (d done) object() int64 {
	if c := lookup(d.nr); c.object >= 0 {
		return int64(int32(d.args[c.object]))
	}
	return -1
}

// The kernel's own results of a call that a signal interrupted and that begins
// anew without the program's knowledge: the signals of the Go runtime ask for
// that (SA_RESTART). They are in no header that user space has.
const (
	restartSys   = -512
	restartNoInt = -513
)

// restarted reports that the program did not see this call return.
func (d done) restarted() bool { return d.result == restartSys || d.result == restartNoInt }

// wouldBlock reports a call that found nothing to move. A futex wait that returns
// EAGAIN is not meant: its word had changed, and its caller knows of the call.
func (d done) wouldBlock() bool {
	return d.result == -int64(unix.EAGAIN) && lookup(d.nr).way != nothing
}

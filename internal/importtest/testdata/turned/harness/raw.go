package harness

import s "syscall"

var _ = s.RawSyscall

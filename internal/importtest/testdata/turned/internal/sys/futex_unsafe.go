package sys

import "syscall"
import _ "unsafe"

var _ = syscall.RawSyscall

package harness

import "golang.org/x/sys/unix"
import _ "ipcbench/ipc/pipe"

var _ = unix.Syscall

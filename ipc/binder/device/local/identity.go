package local

import (
	"os"
	"strings"

	"ipcbench/ipc/binder/driver"
)

// Self is this process as the opener of a device.
func Self() driver.Identity {
	return driver.Identity{PID: int32(os.Getpid()), EUID: uint32(os.Geteuid()), SecurityContext: SecurityContext()}
}

// SecurityContext is what SELinux calls this process, empty without it. The kernel's
// driver gives nodes that ask for it (FLAT_BINDER_FLAG_TXN_SECURITY_CTX) the
// context of the sender that opened the device, and fails their calls where no
// security module has any.
func SecurityContext() string {
	if _, err := os.Stat("/sys/fs/selinux/enforce"); err != nil {
		return ""
	}
	current, err := os.ReadFile("/proc/self/attr/current")
	if err != nil {
		return ""
	}
	return strings.TrimRight(string(current), "\x00\n")
}

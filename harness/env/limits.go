package env

import (
	"math"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// sysctls that bound what a transport can carry, by the names of their results.
var sysctls = map[string]string{
	"msgmax":               "proc/sys/kernel/msgmax",
	"msgmnb":               "proc/sys/kernel/msgmnb",
	"msgmni":               "proc/sys/kernel/msgmni",
	"sem":                  "proc/sys/kernel/sem",
	"shmmax":               "proc/sys/kernel/shmmax",
	"shmall":               "proc/sys/kernel/shmall",
	"mqueue_msgsize_max":   "proc/sys/fs/mqueue/msgsize_max",
	"mqueue_msg_max":       "proc/sys/fs/mqueue/msg_max",
	"mqueue_queues_max":    "proc/sys/fs/mqueue/queues_max",
	"pipe_max_size":        "proc/sys/fs/pipe-max-size",
	"pipe_user_pages_soft": "proc/sys/fs/pipe-user-pages-soft",
	"wmem_max":             "proc/sys/net/core/wmem_max",
	"rmem_max":             "proc/sys/net/core/rmem_max",
}

func (m *machine) limits() map[string]string {
	limits := map[string]string{}
	m.fill(limits, sysctls)
	self, err := m.proc.Self()
	if err != nil {
		m.warn("resource limits", err)
		return limits
	}
	l, err := self.Limits()
	if err != nil {
		m.warn("resource limits", err)
		return limits
	}
	limits["rlimit_msgqueue"] = limit(l.MsqqueueSize)
	limits["rlimit_memlock"] = limit(l.LockedMemory)
	limits["rlimit_nofile"] = limit(l.OpenFiles)
	return limits
}

func limit(n uint64) string {
	if n == math.MaxUint64 {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}

// shmLimits adds the size of /dev/shm and what is free of it, in bytes.
func (m *machine) shmLimits(limits map[string]string) {
	var s unix.Statfs_t
	if err := unix.Statfs(filepath.Join(m.root, "dev/shm"), &s); err != nil {
		m.warn("/dev/shm", err)
		return
	}
	limits["dev_shm_bytes"] = strconv.FormatUint(s.Blocks*uint64(s.Bsize), 10)
	limits["dev_shm_free_bytes"] = strconv.FormatUint(s.Bavail*uint64(s.Bsize), 10)
}

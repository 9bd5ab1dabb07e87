package env

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	"github.com/prometheus/procfs/sysfs"
	"golang.org/x/sys/unix"
)

// Capture describes this machine and this build, as far as it may be read. What
// could not be read is absent, and a warning says so where the reader of a
// result would miss it. It takes some 10 ms, in which it measures the clock.
func Capture() (Environment, []string) {
	m, err := open("/")
	if err != nil {
		return Environment{OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version()},
			[]string{"the machine could not be described: " + err.Error()}
	}
	e := m.describe()
	e.Time = time.Now().UTC().Format(time.RFC3339)
	e.OS, e.Arch, e.Go = runtime.GOOS, runtime.GOARCH, runtime.Version()
	e.Hostname, _ = os.Hostname()
	e.Kernel = kernelRelease()
	e.Commit, e.Dirty = Commit()
	e.Profiled = Profiled()
	e.CPU.Allowed = allowedCPUs()
	e.ClockReadNS = clockRead()
	e.Privileged = privileged()
	m.shmLimits(e.Limits)
	return e, m.warnings
}

// machine reads what /proc and /sys under root say.
type machine struct {
	root     string
	proc     procfs.FS
	sys      sysfs.FS
	warnings []string
}

func open(root string) (*machine, error) {
	proc, err := procfs.NewFS(filepath.Join(root, "proc"))
	if err != nil {
		return nil, err
	}
	sys, err := sysfs.NewFS(filepath.Join(root, "sys"))
	if err != nil {
		return nil, err
	}
	return &machine{root: root, proc: proc, sys: sys}, nil
}

func (m *machine) warn(what string, err error) {
	m.warnings = append(m.warnings, fmt.Sprintf("%s: %v", what, err))
}

// describe is all that the files of the machine say.
func (m *machine) describe() Environment {
	e := Environment{
		CPU:         m.cpu(),
		Mitigations: m.mitigations(),
		Limits:      m.limits(),
		Facts:       m.facts(),
	}
	e.Virtualisation, e.Emulation = m.virtualisation()
	e.Emulated = e.Emulation != ""
	if load, err := m.proc.LoadAvg(); err != nil {
		m.warn("load", err)
	} else {
		e.Load = [3]float64{load.Load1, load.Load5, load.Load15}
	}
	if memory, err := m.proc.Meminfo(); err != nil {
		m.warn("memory", err)
	} else if memory.MemTotalBytes != nil {
		e.Memory = *memory.MemTotalBytes
	}
	return e
}

// text of a file under root, trimmed; empty where it cannot be read.
func (m *machine) text(path string) string {
	b, err := os.ReadFile(filepath.Join(m.root, path))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// fill adds the trimmed text of each file that is there.
func (m *machine) fill(into map[string]string, files map[string]string) {
	for name, path := range files {
		if text := m.text(path); text != "" {
			into[name] = text
		}
	}
}

// facts are settings that shift latencies or decide what may be counted.
func (m *machine) facts() map[string]string {
	facts := map[string]string{}
	m.fill(facts, map[string]string{
		"perf_event_paranoid": "proc/sys/kernel/perf_event_paranoid",
		"ptrace_scope":        "proc/sys/kernel/yama/ptrace_scope",
		"numa_balancing":      "proc/sys/kernel/numa_balancing",
		"isolated_cpus":       "sys/devices/system/cpu/isolated",
		"nohz_full":           "sys/devices/system/cpu/nohz_full",
		"guest_halt_poll_ns":  "sys/module/haltpoll/parameters/guest_halt_poll_ns",
		"cpuidle_governor":    "sys/devices/system/cpu/cpuidle/current_governor",
		"turbo_disabled":      "sys/devices/system/cpu/intel_pstate/no_turbo",
		"clocksource":         "sys/devices/system/clocksource/clocksource0/current_clocksource",
	})
	if v := chosen(m.text("sys/kernel/mm/transparent_hugepage/enabled")); v != "" {
		facts["transparent_hugepage"] = v
	}
	return facts
}

// chosen is the word in brackets, by which sysfs marks the setting in force.
func chosen(choices string) string {
	_, rest, _ := strings.Cut(choices, "[")
	word, _, _ := strings.Cut(rest, "]")
	return word
}

func kernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// privileged reports whether the process may use the kernel's tracepoints
// whatever perf_event_paranoid says.
func privileged() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&header, &data[0]) != nil {
		return false
	}
	has := func(capability uint) bool { return data[capability/32].Effective>>(capability%32)&1 == 1 }
	return has(unix.CAP_SYS_ADMIN) || has(unix.CAP_PERFMON)
}

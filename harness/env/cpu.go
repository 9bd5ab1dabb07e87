package env

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs/sysfs"
	"golang.org/x/sys/unix"
)

func (m *machine) cpu() CPU {
	c := CPU{Caches: m.caches(), SMT: m.text("sys/devices/system/cpu/smt/control"), Governor: m.governor()}
	info, err := m.proc.CPUInfo()
	if err == nil && len(info) == 0 {
		err = errors.New("none is listed")
	}
	if err != nil {
		m.warn("CPU", err)
		return c
	}
	c.Model = strings.TrimSpace(info[0].ModelName)
	if c.Model == "" {
		c.Model = strings.TrimSpace(info[0].VendorID)
	}
	c.Online = len(info)
	c.MHz = info[0].CPUMHz
	return c
}

// governor of the CPUs' frequency, or all that are in use where they differ.
func (m *machine) governor() string {
	stats, err := m.sys.SystemCpufreq()
	if err != nil {
		return ""
	}
	var governors []string
	for _, s := range stats {
		if s.Governor != "" && !slices.Contains(governors, s.Governor) {
			governors = append(governors, s.Governor)
		}
	}
	return strings.Join(governors, ", ")
}

// caches of the first CPU by level and type: "L1d": "32K".
func (m *machine) caches() map[string]string {
	caches := map[string]string{}
	dirs, _ := filepath.Glob(filepath.Join(m.root, "sys/devices/system/cpu/cpu0/cache/index*"))
	for _, dir := range dirs {
		read := func(name string) string {
			b, _ := os.ReadFile(filepath.Join(dir, name))
			return strings.TrimSpace(string(b))
		}
		name := "L" + read("level")
		switch read("type") {
		case "Data":
			name += "d"
		case "Instruction":
			name += "i"
		}
		if size := read("size"); size != "" {
			caches[name] = size
		}
	}
	return caches
}

// hypervisors by the clock that they give to their guests, which not even an
// emulator of the same make has.
var hypervisors = map[string]string{
	"kvm-clock":                   "kvm",
	"hyperv_clocksource_tsc_page": "hyperv",
	"hyperv_clocksource_msr":      "hyperv",
	"xen":                         "xen",
}

// virtualisation names the hypervisor, or the emulator, that the machine runs
// on; it is empty on bare metal.
func (m *machine) virtualisation() (name, emulation string) {
	info, err := m.proc.CPUInfo()
	if err != nil || len(info) == 0 {
		return "", ""
	}
	if info[0].VendorID == "User Mode Linux" {
		return "user-mode Linux", "user-mode"
	}
	sources, _ := m.sys.ClockSources()
	for _, s := range sources {
		for _, clock := range s.Available {
			if h := hypervisors[clock]; h != "" {
				return h, ""
			}
		}
	}
	product := m.product()
	if strings.Contains(info[0].ModelName+product, "QEMU") {
		return "qemu", "tcg"
	}
	if slices.Contains(info[0].Flags, "hypervisor") {
		if product == "" {
			product = "unknown hypervisor"
		}
		return product, ""
	}
	return "", ""
}

// product is the maker and the name that the firmware gives the machine.
func (m *machine) product() string {
	dmi, err := m.sys.DMIClass()
	if err != nil {
		return ""
	}
	var words []string
	for _, s := range []*string{dmi.SystemVendor, dmi.ProductName} {
		if s != nil && *s != "" {
			words = append(words, *s)
		}
	}
	return strings.Join(words, " ")
}

func (m *machine) mitigations() map[string]string {
	vulnerabilities, err := m.sys.CPUVulnerabilities()
	if err != nil {
		m.warn("mitigations", err)
		return nil
	}
	states := map[string]string{}
	for name, v := range vulnerabilities {
		state := sysfs.VulnerabilityHumanEncoding[v.State]
		if v.Mitigation != "" {
			state += ": " + v.Mitigation
		}
		states[name] = state
	}
	return states
}

// allowedCPUs that this process may run on, ascending.
func allowedCPUs() []int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return nil
	}
	var cpus []int
	for cpu := range len(set) * strconv.IntSize {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

package env

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// tree writes a made-up machine and opens it.
func tree(t *testing.T, files map[string]string) *machine {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"proc", "sys"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	m, err := open(root)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func cpuinfo(vendor, model, flags string) string {
	switch runtime.GOARCH {
	case "amd64", "386":
		return "processor\t: 0\nvendor_id\t: " + vendor + "\nmodel name\t: " + model + "\ncpu MHz\t\t: 2500.000\nflags\t\t: " + flags + "\n\n"
	}
	return ""
}

func TestDescribe(t *testing.T) {
	info := cpuinfo("GenuineIntel", "Example CPU @ 2.50GHz", "fpu")
	if info == "" {
		t.Skip("the made-up machine is an x86")
	}
	const sys, cpu0 = "sys/devices/system/cpu/", "sys/devices/system/cpu/cpu0/"
	m := tree(t, map[string]string{
		"proc/cpuinfo":                               info,
		"proc/loadavg":                               "1.50 0.75 0.25 1/100 1234\n",
		"proc/meminfo":                               "MemTotal:        1024 kB\n",
		"proc/sys/kernel/msgmax":                     "8192\n",
		"proc/sys/kernel/perf_event_paranoid":        "3\n",
		sys + "offline":                              "\n",
		sys + "smt/control":                          "on\n",
		sys + "vulnerabilities/meltdown":             "Mitigation: PTI\n",
		cpu0 + "cpufreq/scaling_governor":            "powersave\n",
		cpu0 + "cache/index0/level":                  "1\n",
		cpu0 + "cache/index0/type":                   "Data\n",
		cpu0 + "cache/index0/size":                   "32K\n",
		"sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
		"sys/devices/system/clocksource/clocksource0/current_clocksource":   "tsc\n",
		"sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet\n",
	})
	e := m.describe()
	for _, c := range []struct{ what, got, want string }{
		{"model", e.CPU.Model, "Example CPU @ 2.50GHz"},
		{"SMT", e.CPU.SMT, "on"},
		{"L1d", e.CPU.Caches["L1d"], "32K"},
		{"msgmax", e.Limits["msgmax"], "8192"},
		{"meltdown", e.Mitigations["meltdown"], "mitigation: PTI"},
		{"paranoid", e.Facts["perf_event_paranoid"], "3"},
		{"huge pages", e.Facts["transparent_hugepage"], "madvise"},
		{"clock", e.Facts["clocksource"], "tsc"},
		{"virtualisation", e.Virtualisation, ""},
	} {
		if c.got != c.want {
			t.Errorf("%s is %q, want %q", c.what, c.got, c.want)
		}
	}
	if e.Load != [3]float64{1.5, 0.75, 0.25} {
		t.Errorf("load is %v", e.Load)
	}
	if e.Memory != 1024<<10 {
		t.Errorf("memory is %d bytes", e.Memory)
	}
}

func TestVirtualisation(t *testing.T) {
	if cpuinfo("", "", "") == "" {
		t.Skip("the made-up machine is an x86")
	}
	for _, c := range []struct {
		name, vendor, model, flags, clocks, product string
		want, emulation                             string
	}{
		{name: "bare", vendor: "GenuineIntel", model: "Xeon", flags: "fpu", clocks: "tsc"},
		{name: "kvm", vendor: "GenuineIntel", model: "QEMU Virtual CPU version 2.5+", flags: "fpu hypervisor", clocks: "kvm-clock tsc", want: "kvm"},
		{name: "tcg", vendor: "AuthenticAMD", model: "QEMU TCG CPU version 2.5+", flags: "fpu hypervisor", clocks: "tsc", want: "qemu", emulation: "tcg"},
		{name: "uml", vendor: "User Mode Linux", model: "UML", want: "user-mode Linux", emulation: "user-mode"},
		{name: "other", vendor: "GenuineIntel", model: "Xeon", flags: "fpu hypervisor", clocks: "tsc", product: "Example Cloud", want: "Example Cloud"},
		{name: "unnamed", vendor: "GenuineIntel", model: "Xeon", flags: "fpu hypervisor", clocks: "tsc", want: "unknown hypervisor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := tree(t, map[string]string{
				"proc/cpuinfo": cpuinfo(c.vendor, c.model, c.flags),
				"sys/devices/system/clocksource/clocksource0/available_clocksource": c.clocks + "\n",
				"sys/devices/system/clocksource/clocksource0/current_clocksource":   "tsc\n",
				"sys/class/dmi/id/product_name":                                     c.product + "\n",
			})
			name, emulation := m.virtualisation()
			if name != c.want || emulation != c.emulation {
				t.Errorf("virtualisation is %q, emulation %q; want %q, %q", name, emulation, c.want, c.emulation)
			}
		})
	}
}

// An empty /proc and /sys are described as far as they go.
func TestDescribeNothing(t *testing.T) {
	m := tree(t, nil)
	e := m.describe()
	if e.CPU.Online != 0 || e.Virtualisation != "" {
		t.Errorf("found %+v in nothing", e)
	}
	if len(m.warnings) == 0 {
		t.Error("nothing could be read, and no warning says so")
	}
	Diagnose(e)
}

func TestCapture(t *testing.T) {
	e, _ := Capture()
	if _, err := time.Parse(time.RFC3339, e.Time); err != nil {
		t.Error(err)
	}
	if e.Kernel == "" || e.OS != "linux" || e.Go != runtime.Version() {
		t.Errorf("kernel %q, OS %q, Go %q", e.Kernel, e.OS, e.Go)
	}
	if len(e.CPU.Allowed) == 0 || !slices.IsSorted(e.CPU.Allowed) {
		t.Errorf("allowed CPUs %v", e.CPU.Allowed)
	}
	if !(e.ClockReadNS > 0) {
		t.Errorf("a clock read costs %g ns", e.ClockReadNS)
	}
}

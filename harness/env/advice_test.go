package env

import "testing"

// quiet is a machine about which there is nothing to say.
func quiet() Environment {
	return Environment{
		CPU:        CPU{Online: 4, Allowed: []int{0, 1, 2, 3}, Governor: "performance", SMT: "off"},
		Privileged: true, ClockReadNS: 20,
		Limits: map[string]string{"rlimit_msgqueue": "819200", "dev_shm_free_bytes": "1073741824"},
		Facts:  map[string]string{"clocksource": "tsc", "transparent_hugepage": "madvise", "perf_event_paranoid": "2"},
	}
}

func TestDiagnose(t *testing.T) {
	for _, c := range []struct {
		subject string
		spoil   func(*Environment)
		want    Level
	}{
		{"CPUs", func(e *Environment) { e.CPU.Allowed = []int{3} }, Poor},
		{"CPUs", func(e *Environment) { e.CPU.Allowed = []int{0, 1} }, Note},
		{"load", func(e *Environment) { e.Load[0] = 1.5 }, Poor},
		{"load", func(e *Environment) { e.Load[0] = 4 }, Unfit},
		{"virtualisation", func(e *Environment) { e.Virtualisation = "kvm" }, Note},
		{"virtualisation", func(e *Environment) { e.Virtualisation, e.Emulated = "qemu", true }, Unfit},
		{"idle CPUs", func(e *Environment) { e.Virtualisation, e.Facts["guest_halt_poll_ns"] = "kvm", "0" }, Poor},
		{"frequency governor", func(e *Environment) { e.CPU.Governor = "powersave" }, Poor},
		{"SMT", func(e *Environment) { e.CPU.SMT = "on" }, Poor},
		{"transparent huge pages", func(e *Environment) { e.Facts["transparent_hugepage"] = "always" }, Note},
		{"clock", func(e *Environment) { e.ClockReadNS = 900 }, Poor},
		{"tracepoints", func(e *Environment) { e.Privileged = false }, Note},
		{"POSIX message queues", func(e *Environment) { e.Limits["rlimit_msgqueue"] = "1000" }, Note},
		{"/dev/shm", func(e *Environment) { e.Limits["dev_shm_free_bytes"] = "1048576" }, Note},
	} {
		if a := about(t, quiet(), c.subject); a.Level != Good || a.Do != "" {
			t.Errorf("%s of a quiet machine: %+v", c.subject, a)
		}
		e := quiet()
		c.spoil(&e)
		a := about(t, e, c.subject)
		if a.Level != c.want || a.Do == "" {
			t.Errorf("%s: %+v, want level %s and something to do", c.subject, a, c.want)
		}
		if n := len(Warnings(e)); (n > 0) != (c.want != Note) {
			t.Errorf("%s at level %s: %d warnings", c.subject, c.want, n)
		}
		if fit := Fit(Diagnose(e)); fit != (c.want != Unfit) {
			t.Errorf("%s at level %s: fit is %v", c.subject, a.Level, fit)
		}
	}
}

func about(t *testing.T, e Environment, subject string) Advice {
	t.Helper()
	for _, a := range Diagnose(e) {
		if a.Subject == subject {
			return a
		}
	}
	t.Fatalf("no advice on %s", subject)
	return Advice{}
}

package env

import (
	"fmt"
	"strconv"
	"strings"
)

// Level of an Advice.
type Level string

// The levels, from best to worst.
const (
	// Good: nothing to do.
	Good Level = "good"
	// Note: part of the results will be missing, or must be read with it in
	// mind.
	Note Level = "note"
	// Poor: intervals will be wider, or latencies shifted.
	Poor Level = "poor"
	// Unfit: timings taken here should not be published.
	Unfit Level = "unfit"
)

// Advice is what one property of the machine means for measuring on it.
type Advice struct {
	Level   Level
	Subject string
	Found   string
	// Do says what would make it better, and is empty where nothing would or
	// need.
	Do string
}

// Diagnose says of each property that matters whether the machine is fit to
// measure on, and what would make it better.
func Diagnose(e Environment) []Advice {
	var all []Advice
	for _, check := range []func(Environment) Advice{
		cpus, load, emulation, idle, governor, smt, mitigations, hugePages, clock, tracepoints, messageQueues, sharedMemory,
	} {
		all = append(all, check(e))
	}
	return all
}

// Fit reports whether none of the advice is Unfit.
func Fit(all []Advice) bool {
	for _, a := range all {
		if a.Level == Unfit {
			return false
		}
	}
	return true
}

// Warnings are what a result taken on the machine must say of it: the advice that
// is Poor or Unfit.
func Warnings(e Environment) (warnings []string) {
	for _, a := range Diagnose(e) {
		if a.Level == Poor || a.Level == Unfit {
			warnings = append(warnings, fmt.Sprintf("%s machine: %s: %s (%s)", a.Level, a.Subject, a.Found, a.Do))
		}
	}
	return warnings
}

func cpus(e Environment) Advice {
	n := len(e.CPU.Allowed)
	a := Advice{Good, "CPUs", fmt.Sprintf("%d of %d allowed to this process", n, e.CPU.Online), ""}
	switch {
	case n < 2:
		a.Level, a.Do = Poor, "only placement same can be measured: give the process a second CPU"
	case n == 2:
		a.Level, a.Do = Note, "both are measured on, so whatever else runs disturbs: a third CPU would take it"
	}
	if isolated := e.Facts["isolated_cpus"]; isolated != "" {
		a.Found += ", isolated " + isolated
	}
	return a
}

func load(e Environment) Advice {
	a := Advice{Good, "load", fmt.Sprintf("%.2f in the last minute", e.Load[0]), ""}
	n := float64(max(1, len(e.CPU.Allowed)))
	switch {
	case e.Load[0] >= n:
		a.Level, a.Do = Unfit, "other work takes all CPUs: stop it first"
	case e.Load[0] >= n/4:
		a.Level, a.Do = Poor, "other work is running: stop it, or wait until the load has gone down"
	}
	return a
}

func emulation(e Environment) Advice {
	switch {
	case e.Emulated:
		return Advice{Unfit, "virtualisation", e.Virtualisation + ", emulated (" + e.Emulation + ")",
			"counts hold here, timings do not: measure on real hardware or under a hypervisor"}
	case e.Virtualisation != "":
		return Advice{Note, "virtualisation", e.Virtualisation,
			"wake-ups across CPUs cost more than on bare metal, and neighbours disturb: compare only within one run"}
	}
	return Advice{Good, "virtualisation", "none", ""}
}

func governor(e Environment) Advice {
	switch g := e.CPU.Governor; g {
	case "performance":
		return Advice{Good, "frequency governor", g, ""}
	case "":
		return Advice{Note, "frequency governor", "not visible", ""}
	default:
		return Advice{Poor, "frequency governor", g, "cpupower frequency-set -g performance"}
	}
}

func smt(e Environment) Advice {
	switch s := e.CPU.SMT; s {
	case "on":
		return Advice{Poor, "SMT", s,
			"two CPUs may be one core: echo off > /sys/devices/system/cpu/smt/control, or allow one CPU of each core (taskset)"}
	case "":
		return Advice{Note, "SMT", "not visible", ""}
	default:
		return Advice{Good, "SMT", s, ""}
	}
}

func mitigations(e Environment) Advice {
	active := 0
	for _, state := range e.Mitigations {
		if strings.HasPrefix(strings.ToLower(state), "mitigation") {
			active++
		}
	}
	return Advice{Note, "mitigations", fmt.Sprintf("%d active", active),
		"they are part of what a system call costs here: compare only with machines that have the same"}
}

// haltPollEnough is how long, in nanoseconds, an idle virtual CPU should look for
// work before it halts: several wake-ups long.
const haltPollEnough = 50_000

// idle is about virtual CPUs, which the hypervisor has to wake once they have
// halted.
func idle(e Environment) Advice {
	poll, found := e.Facts["guest_halt_poll_ns"]
	a := Advice{Good, "idle CPUs", "the processor's own idle states", ""}
	if !found || e.Virtualisation == "" {
		return a
	}
	a.Found = "an idle virtual CPU polls for " + poll + " ns before it halts"
	if n, err := strconv.Atoi(poll); err == nil && n < haltPollEnough {
		a.Level, a.Do = Poor, "each wake-up across CPUs goes through the hypervisor: echo 200000 > /sys/module/haltpoll/parameters/guest_halt_poll_ns"
	}
	return a
}

func hugePages(e Environment) Advice {
	v := e.Facts["transparent_hugepage"]
	switch v {
	case "always":
		return Advice{Note, "transparent huge pages", v, "large buffers may or may not get them: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"}
	case "":
		return Advice{Good, "transparent huge pages", "not there", ""}
	}
	return Advice{Good, "transparent huge pages", v, ""}
}

// slowClock is a cost of reading the clock, in nanoseconds, that only a read
// through a system call has.
const slowClock = 200

func clock(e Environment) Advice {
	a := Advice{Good, "clock", fmt.Sprintf("%s, %.0f ns a read", orUnknown(e.Facts["clocksource"]), e.ClockReadNS), ""}
	if e.ClockReadNS > slowClock {
		a.Level, a.Do = Poor, "the clock is read by a system call: use clocksource tsc where the kernel trusts it"
	}
	return a
}

func tracepoints(e Environment) Advice {
	paranoid := orUnknown(e.Facts["perf_event_paranoid"])
	if e.Privileged {
		return Advice{Good, "tracepoints", "privileged (perf_event_paranoid " + paranoid + ")", ""}
	}
	if n, err := strconv.Atoi(paranoid); err == nil && n < 0 {
		return Advice{Good, "tracepoints", "perf_event_paranoid " + paranoid, ""}
	}
	return Advice{Note, "tracepoints", "perf_event_paranoid " + paranoid,
		"the ledger is not checked against the kernel: run as root, with CAP_PERFMON, or sysctl kernel.perf_event_paranoid=-1"}
}

// queueBytes is the room that queues of the default message size want of
// RLIMIT_MSGQUEUE; it is also what most systems set.
const queueBytes = 819200

func messageQueues(e Environment) Advice {
	s := e.Limits["rlimit_msgqueue"]
	if s == "" {
		return Advice{Note, "POSIX message queues", "limit not visible", ""}
	}
	a := Advice{Good, "POSIX message queues", "RLIMIT_MSGQUEUE " + s, ""}
	if n, err := strconv.ParseUint(s, 10, 64); err == nil && n < queueBytes {
		a.Level, a.Do = Note, fmt.Sprintf("posix-mq may be skipped: raise it to %d bytes (ulimit -q)", queueBytes)
	}
	return a
}

// shmBytes is the room in /dev/shm from which no default cell is skipped.
const shmBytes = 64 << 20

func sharedMemory(e Environment) Advice {
	s := e.Limits["dev_shm_free_bytes"]
	if s == "" {
		return Advice{Note, "/dev/shm", "not visible", "the shared Binder device needs it: mount a tmpfs there"}
	}
	n, _ := strconv.ParseUint(s, 10, 64)
	a := Advice{Good, "/dev/shm", fmt.Sprintf("%d MiB free", n>>20), ""}
	if n < shmBytes {
		a.Level, a.Do = Note, "cells of large payloads may be skipped: mount -o remount,size=64M /dev/shm"
	}
	return a
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

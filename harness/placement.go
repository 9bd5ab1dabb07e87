package harness

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Placements in the order that help texts name them.
const (
	// Cross puts clients on one CPU and the server on another.
	Cross = "cross"
	// Same puts both on one CPU.
	Same = "same"
	// Free leaves them to the scheduler.
	Free = "free"
)

// cpus is where a cell's processes run; nil is anywhere allowed.
type cpus struct{ client, server, broker []int }

// allowedCPUs are those that this process may run on.
func allowedCPUs() []int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return []int{0}
	}
	var list []int
	for cpu := range len(set) * strconv.IntSize {
		if set.IsSet(cpu) {
			list = append(list, cpu)
		}
	}
	return list
}

// DefaultPlacement is Cross where there are two CPUs.
func DefaultPlacement() string {
	if len(allowedCPUs()) > 1 {
		return Cross
	}
	return Same
}

// place finds the CPUs of a placement among the allowed ones. The broker gets
// a third CPU where there is one, else the server's.
func place(placement string, allowed []int) (cpus, error) {
	first := allowed[:1]
	switch placement {
	case Same:
		return cpus{first, first, first}, nil
	case Free:
		return cpus{}, nil
	case Cross:
		second, ok := partner(allowed)
		if !ok {
			return cpus{}, fmt.Errorf("placement cross needs two CPUs, and this process may use one")
		}
		server := []int{second}
		for _, third := range allowed[1:] {
			if third != second {
				return cpus{first, server, []int{third}}, nil
			}
		}
		return cpus{first, server, server}, nil
	}
	return cpus{}, fmt.Errorf("unknown placement %q (have cross, same, free)", placement)
}

// partner is the first CPU of another core than the first's, in the same
// package if possible; a sibling thread of the same core if there is nothing
// else.
func partner(allowed []int) (cpu int, ok bool) {
	if len(allowed) < 2 {
		return 0, false
	}
	best, rank := allowed[1], 0
	for _, cpu := range allowed[1:] {
		r := 0
		if topology(cpu, "core_id") != topology(allowed[0], "core_id") || topology(cpu, "physical_package_id") != topology(allowed[0], "physical_package_id") {
			r = 1
			if topology(cpu, "physical_package_id") == topology(allowed[0], "physical_package_id") {
				r = 2
			}
		}
		if r > rank {
			best, rank = cpu, r
		}
	}
	return best, true
}

// topology is what sysfs says of a CPU's place; where it says nothing, every
// CPU is a core of its own.
func topology(cpu int, what string) string {
	b, err := os.ReadFile(fmt.Sprintf("/sys/devices/system/cpu/cpu%d/topology/%s", cpu, what))
	if err != nil && what == "core_id" {
		return strconv.Itoa(cpu)
	}
	return strings.TrimSpace(string(b))
}

// on runs f with the calling thread bound to the CPUs, which a process that f
// starts inherits.
func on(list []int, f func() error) error {
	if list == nil {
		return f()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("read the CPU affinity: %w", err)
	}
	for _, cpu := range list {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("bind to CPUs %v: %w", list, err)
	}
	defer unix.SchedSetaffinity(0, &before)
	return f()
}

// PlacementCPUs are the CPUs that a placement binds a client and the server to;
// Free binds to none and is an error.
func PlacementCPUs(placement string) (client, server int, err error) {
	where, err := place(placement, allowedCPUs())
	if err != nil {
		return 0, 0, err
	}
	if where.client == nil {
		return 0, 0, fmt.Errorf("placement %s binds to no CPU", placement)
	}
	return where.client[0], where.server[0], nil
}

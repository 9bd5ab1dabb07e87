package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
)

// ProfileVariable names the environment variable that holds the folder in which
// each worker is to leave a CPU profile, in the format of runtime/pprof. The folder
// must be there. The profiler interrupts a worker a hundred times a second of CPU time,
// so that the latencies of such a run, which says so, are no result.
const ProfileVariable = "IPCBENCH_CPU_PROFILE"

// startProfile begins the worker's CPU profile, if one is wanted. stop ends it, and
// returns when it is written.
func startProfile(task assignment) (stop func(), err error) {
	folder := os.Getenv(ProfileVariable)
	if folder == "" {
		return func() {}, nil
	}
	transport := strings.ReplaceAll(task.Transport, ":", "-")
	name := fmt.Sprintf("%s-%s-%d.pprof", transport, task.Role, os.Getpid())
	f, err := os.Create(filepath.Join(folder, name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ProfileVariable, err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", ProfileVariable, err)
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

// profileWarning is what a run says of itself whose workers are profiled.
func profileWarning() (warnings []string) {
	if os.Getenv(ProfileVariable) != "" {
		warnings = append(warnings, ProfileVariable+" is set: a profiler interrupted the workers, and the latencies are no result")
	}
	return warnings
}

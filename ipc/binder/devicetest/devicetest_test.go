package devicetest_test

import (
	"flag"
	"os"
	"sync/atomic"
	"testing"

	"ipcbench/ipc/binder/device/inproc"
	"ipcbench/ipc/binder/devicetest"
)

var resultsDir = flag.String("results", "", "directory for the results, one JSON file a device")

// goRelease is the release of the kernel that the driver in Go follows.
var goRelease = devicetest.Release{Major: 6, Minor: 12}

// goDeviations are the rows that cannot apply to a driver that is not in the
// kernel.
var goDeviations = map[int]string{
	5: "an open device is a membership of its process, not a descriptor, and a forked child of a Go process runs no Go in " +
		"which it could use it; it inherits neither the region nor the arena (TestForkedChild of device/shared)",
	80: "the kernel's driver reads the sender's nice value from the task for nothing; outside the kernel nobody is told when it " +
		"changes, so that it takes a system call in every transaction, on the path whose cost is the point",
}

// contexts numbers the contexts that this process made.
var contexts atomic.Int64

func TestMain(m *testing.M) {
	devicetest.Main(kernelBackend(), inprocBackend(inproc.Options{}), sharedBackend(), daemonBackend())
	os.Exit(m.Run())
}

func run(t *testing.T, b devicetest.Backend) {
	results := devicetest.Run(t, b)
	t.Logf("%s: %d pass, %d fail, %d deviate, %d skipped", b.Device, results.Count(devicetest.Pass),
		results.Count(devicetest.Fail), results.Count(devicetest.Deviation), results.Count(devicetest.Skip))
	keep(t, results)
}

// keep stores results where the flag says.
func keep(t *testing.T, results devicetest.Results) {
	if *resultsDir == "" {
		return
	}
	if err := results.Write(*resultsDir); err != nil {
		t.Error(err)
	}
}

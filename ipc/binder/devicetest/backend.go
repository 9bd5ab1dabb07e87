package devicetest

import (
	"cmp"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device"
)

// Release is a release of the kernel. The zero value stands for any.
type Release struct{ Major, Minor int }

// RunningRelease is the release of the kernel that runs.
func RunningRelease() (r Release) {
	fmt.Sscanf(RunningKernel(), "%d.%d", &r.Major, &r.Minor)
	return r
}

// RunningKernel is the full name of that release, as uname -r prints it.
func RunningKernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// AtLeast says whether r is other or a later release.
func (r Release) AtLeast(other Release) bool {
	return r.Major > other.Major || r.Major == other.Major && r.Minor >= other.Minor
}

func (r Release) String() string { return fmt.Sprintf("%d.%d", r.Major, r.Minor) }

// Identity is who opens a device whose parties share one process. A device
// whose parties are processes asks the kernel instead.
type Identity struct {
	PID  int32
	EUID uint32
}

// Backend is how the suite reaches a device.
type Backend struct {
	// Device is the device's name; a party that is a process is told it.
	Device string

	// Release is the kernel release whose driver the device is, or follows.
	Release Release

	// Kernel is the full name of that release where the device is the driver of
	// a kernel that runs, else empty.
	Kernel string

	// InProcess says that parties share the process of the test. Otherwise
	// each is a process of its own.
	InProcess bool

	// NewContext makes a device node with a fresh context, which no context
	// manager ever owned, and returns its name. What it needs is given back
	// by tb.Cleanup; where it cannot be had it skips tb with the reason.
	NewContext func(tb testing.TB) (node string)

	// Open is the device of a node, for a party of the given identity. It
	// runs in the process of the party.
	Open func(node string, who Identity) (device.Device, error)

	// SecurityContext is what a node that asks for it is told of a sender,
	// empty where there is no security module that knows contexts.
	SecurityContext string

	// Stats is the text of binder/stats of the node's context, nil where the
	// device offers none.
	Stats func(node string) (string, error)

	// Deviations are the rows that cannot apply to the device, by number,
	// each with its reason. They are reported, and not run.
	Deviations map[int]string
}

// results are those of the device, without a row yet.
func (b Backend) results() Results {
	return Results{Device: b.Device, Release: cmp.Or(b.Kernel, b.Release.String())}
}

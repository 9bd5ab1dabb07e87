// Package devicetest is the conformance suite of Binder devices: 92 rows, each
// one observation that a program can make of the kernel's driver through
// open, mmap, ioctl, poll and close. A device passes when it cannot be told
// from that driver.
//
// Rows are written in terms of the interface in package device and of the
// user-space interface in package abi, and run unchanged on every device.
// Participants are processes of their own, driven from the test over pipes,
// or, for a device inside one process, parts of it under separate identities.
// The truth is the kernel's driver: each row was run on it, and where a
// description of Binder says otherwise, the row follows the driver.
//
// Nothing waits by sleeping: a row that needs a thread to be blocked in the
// driver waits until the kernel reports the thread asleep.
package devicetest

import (
	"fmt"
	"runtime"
	"testing"

	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/devicetest/internal/party"
)

// Main is what TestMain calls first: a process that was started as a party of
// one of the backends serves its test and does not return.
func Main(backends ...Backend) {
	party.ServeIfParty(func(name, node string) (device.Device, error) {
		for _, b := range backends {
			if b.Device == name {
				return b.Open(node, Identity{})
			}
		}
		return nil, fmt.Errorf("no device %q in this binary", name)
	})
}

// minProcs lets threads that block in system calls do so without delaying the
// others on machines with one or two CPUs.
const minProcs = 4

// Run runs every row as a subtest and returns what came out.
func Run(t *testing.T, b Backend) Results {
	if before := runtime.GOMAXPROCS(0); before < minProcs {
		runtime.GOMAXPROCS(minProcs)
		defer runtime.GOMAXPROCS(before)
	}
	results := b.results()
	for _, r := range rows {
		x := &test{backend: &b}
		t.Run(r.id()+" "+r.title, func(t *testing.T) {
			x.TB = t
			runRow(x, r)
		})
		if x.TB != nil { // else -run left it out
			results.Rows = append(results.Rows, x.result(r))
		}
	}
	return results
}

func runRow(x *test, r row) {
	if reason, ok := x.backend.Deviations[r.number]; ok {
		x.deviates = true
		x.Skip(reason)
	}
	x.node = x.backend.NewContext(x)
	r.run(x)
}

// Skip skips the row and keeps the reason for the results.
func (x *test) Skip(args ...any) {
	x.Helper()
	x.reason = fmt.Sprint(args...)
	x.TB.Skip(x.reason)
}

// Skipf is Skip with a format.
func (x *test) Skipf(format string, args ...any) {
	x.Helper()
	x.Skip(fmt.Sprintf(format, args...))
}

func (x *test) result(r row) RowResult {
	result := RowResult{Row: r.id(), Title: r.title, Outcome: Pass, Reason: x.reason}
	switch {
	case x.Failed():
		result.Outcome = Fail
	case x.deviates:
		result.Outcome = Deviation
	case x.Skipped():
		result.Outcome = Skip
	}
	return result
}

package transporttest

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"ipcbench/internal/leakcheck"
)

// isolatedVariable is set in processes that have an IPC namespace to themselves.
const isolatedVariable = "IPCBENCH_TRANSPORTTEST_ISOLATED"

// isolate starts this program anew in an IPC namespace of its own, so that the
// segments, queues and semaphores there are those of the test and its children,
// and without the signals by which the Go runtime preempts: they interrupt system
// calls that block for long, so that what an end forgets to wake wakes all the same.
// Where that is not permitted it goes on as it is, and the tests that need it
// are skipped.
func isolate() {
	if isolated() {
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if unix.Unshare(unix.CLONE_NEWIPC) != nil {
		return
	}
	environment := append(os.Environ(), isolatedVariable+"=1", "GODEBUG=asyncpreemptoff=1")
	if err := syscall.Exec("/proc/self/exe", os.Args, environment); err != nil {
		panic(err) // half of the threads are in one namespace and half in another
	}
}

func isolated() bool { return os.Getenv(isolatedVariable) != "" }

// objects names what System V objects there are, if all of them are the test's.
func objects() []string {
	if !isolated() {
		return nil
	}
	return leakcheck.SystemV()
}

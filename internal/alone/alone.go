// Package alone runs a test in namespaces of its own, so that whatever queue,
// segment, semaphore or file of /dev/shm it finds there is its own, and so that
// it can make /dev/shm as small as it likes.
package alone

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/internal/leakcheck"
)

// variable names, in the process that is alone, the test that it is to run.
const variable = "IPCBENCH_ALONE"

// Run runs f in a process that has an IPC namespace and a /dev/shm of so many
// bytes to itself: this test binary, started again for the one test that calls
// Run. What f's test says is logged here. Where the namespaces are not permitted
// the test is skipped.
func Run(t *testing.T, shmBytes int, f func(t *testing.T)) {
	t.Helper()
	if os.Getenv(variable) == t.Name() {
		mount(t, "tmpfs", "/dev/shm", fmt.Sprintf("size=%d", shmBytes))
		f(t)
		return
	}
	again := exec.Command("/proc/self/exe", "-test.run="+pattern(t.Name()), "-test.v", "-test.count=1")
	again.Args[0] = os.Args[0]
	again.Env = append(os.Environ(), variable+"="+t.Name())
	again.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWIPC | unix.CLONE_NEWNS}
	said, err := again.CombinedOutput()
	switch {
	case errors.Is(err, unix.EPERM):
		t.Skipf("namespaces of its own: %v", err)
	case err != nil:
		t.Fatalf("%v\n%s", err, said)
	case strings.Contains(string(said), "--- SKIP"):
		t.Skipf("%s", said)
	}
	t.Logf("%s", said)
}

// pattern matches one test, or one subtest.
func pattern(name string) string { return "^" + strings.ReplaceAll(name, "/", "$/^") + "$" }

func mount(t *testing.T, kind, where, options string) {
	t.Helper()
	if err := unix.Mount(kind, where, kind, 0, options); err != nil {
		t.Fatalf("mount %s at %s: %v", kind, where, err)
	}
	t.Cleanup(func() { unix.Unmount(where, unix.MNT_DETACH) })
}

// Objects returns a function that names the System V objects, the POSIX queues
// and the files of /dev/shm in the namespaces that f of Run has to itself.
func Objects(t *testing.T) func() []string {
	t.Helper()
	queues := t.TempDir()
	mount(t, "mqueue", queues, "")
	return func() (all []string) {
		all = leakcheck.SystemV()
		for _, dir := range []string{queues, "/dev/shm"} {
			files, _ := filepath.Glob(dir + "/*")
			all = append(all, files...)
		}
		return all
	}
}

// Package bindertest runs the parts of a test as Binder processes: servers, and
// the service manager, are started beside the test, which is their client. On a
// device that crosses processes each part is a process of its own, started
// from the test's executable; on one that does not, a virtual process of the
// device in a goroutine.
package bindertest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"ipcbench/internal/child"
	"ipcbench/ipc/binder/device"
)

// Role is what a started process does: it opens the device, calls ready, and
// returns when done is closed.
type Role func(dev device.Device, ready func(), done <-chan struct{}) error

// roles are the roles of the test's executable.
var roles map[string]Role

// environment tells a process its device, node and role.
const environment = "IPCBENCH_BINDERTEST_ROLE"

// Main runs the role that this process was started for, or else the tests. It
// is the body of TestMain and does not return.
func Main(m *testing.M, r map[string]Role) {
	roles = r
	part, ok := os.LookupEnv(environment)
	if !ok {
		os.Exit(m.Run())
	}
	fields := strings.Split(part, "\n")
	if err := play(fields[0], fields[1], roles[fields[2]]); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func play(name, node string, role Role) error {
	dev, err := open[name](node)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(done)
	}()
	return role(dev, func() { fmt.Println(child.Ready) }, done)
}

// Process is a process that a test has started.
type Process struct {
	// PID is its number as the device knows it.
	PID  int
	stop func() error
	kill func()
}

// Stop ends the process in order and says what its role returned.
func (p *Process) Stop() error { return p.stop() }

// Kill ends it as SIGKILL does.
func (p *Process) Kill() { p.kill() }

// startProcess starts a role as a process of its own, and waits until it is
// ready. The test's end stops it; a role that fails fails the test.
func startProcess(t testing.TB, name, node, role string) *Process {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), environment+"="+strings.Join([]string{name, node, role}, "\n"))
	c, err := child.StartReady(cmd)
	if err != nil {
		t.Fatalf("%s: %v", role, err)
	}
	p := &Process{PID: c.Process.Pid}
	ended := false
	p.stop = func() error {
		if ended {
			return nil
		}
		ended = true
		if said, err := c.End(); err != nil {
			return fmt.Errorf("%s: %s: %w", role, strings.TrimSpace(said), err)
		}
		return nil
	}
	p.kill = func() {
		ended = true
		c.Kill()
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// startVirtual starts a role in this process, which the device knows as another.
func startVirtual(t testing.TB, dev *identity, role Role) *Process {
	t.Helper()
	ready, done, result := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() { result <- role(dev, func() { close(ready) }, done) }()
	select {
	case <-ready:
	case err := <-result:
		t.Fatal(errors.Join(errors.New("a role ended before it was ready"), err))
	}
	stop := sync.OnceValue(func() error {
		close(done)
		return <-result
	})
	p := &Process{PID: int(dev.pid), stop: stop}
	p.kill = func() {
		if err := dev.kill(); err != nil {
			t.Error("kill:", err)
		}
		stop() // which finds everything gone
		p.stop = func() error { return nil }
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

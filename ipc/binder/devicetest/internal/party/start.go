package party

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device"
)

// environment names the device and node of a party that is a process.
const environment = "IPCBENCH_DEVICETEST_PARTY"

// StartLocal starts a party inside this process. The device knows it by the
// given pid and euid.
func StartLocal(pid int32, euid uint32, open func(flags int) (device.File, error)) (*Client, error) {
	a, err := newAgent(open)
	if err != nil {
		return nil, err
	}
	here, there := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- a.serve(there, a.release) }()
	end := sync.OnceValue(func() string {
		here.Close()
		<-served
		a.stop()
		return ""
	})
	return newClient(here, pid, euid, end), nil
}

// StartProcess starts a party as a process of its own, from the executable
// that is running, whose main must call ServeIfParty. Its effective uid is
// euid, which takes privileges if it is not this process's.
func StartProcess(device, node string, euid uint32) (*Client, error) {
	toChild, fromParent, toParent, fromChild, err := pipes()
	if err != nil {
		return nil, err
	}
	var output bytes.Buffer
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), environment+"="+device+"\n"+node, "GOMAXPROCS=4", "GOTRACEBACK=single")
	cmd.ExtraFiles = []*os.File{toChild, toParent}
	cmd.Stderr = &output
	if int(euid) != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: euid, Gid: euid, NoSetGroups: true}}
	}
	err = cmd.Start()
	toChild.Close()
	toParent.Close()
	conn := duplex{fromChild, fromParent}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("start a party: %w", err)
	}
	end := sync.OnceValue(func() string {
		cmd.Process.Kill()
		cmd.Wait()
		conn.Close()
		return output.String()
	})
	return newClient(conn, int32(cmd.Process.Pid), euid, end), nil
}

// pipes makes one pipe in each direction.
func pipes() (toChild, fromParent, toParent, fromChild *os.File, err error) {
	toChild, fromParent, err = os.Pipe()
	if err != nil {
		return nil, nil, nil, nil, err
	}
	fromChild, toParent, err = os.Pipe()
	if err != nil {
		toChild.Close()
		fromParent.Close()
	}
	return toChild, fromParent, toParent, fromChild, err
}

// duplex is a pipe in each direction.
type duplex struct{ in, out *os.File }

func (d duplex) Read(b []byte) (int, error)  { return d.in.Read(b) }
func (d duplex) Write(b []byte) (int, error) { return d.out.Write(b) }
func (d duplex) Close() error                { return errors.Join(d.in.Close(), d.out.Close()) }

var _ io.ReadWriteCloser = duplex{}

// ServeIfParty serves a test and ends this process if it was started as a
// party; otherwise it returns at once. open opens the named device's node.
func ServeIfParty(open func(device, node string) (device.Device, error)) {
	names, ok := os.LookupEnv(environment)
	if !ok {
		return
	}
	os.Unsetenv(environment)
	unix.CloseOnExec(3)
	unix.CloseOnExec(4)
	name, node, _ := strings.Cut(names, "\n")
	conn := duplex{os.NewFile(3, "requests"), os.NewFile(4, "answers")}
	if err := serveProcess(conn, name, node, open); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(2)
}

func serveProcess(conn duplex, name, node string, open func(device, node string) (device.Device, error)) error {
	d, err := open(name, node)
	if err != nil {
		return err
	}
	a, err := newAgent(d.Open)
	if err != nil {
		return err
	}
	return a.serve(conn, func() { os.Exit(0) })
}

package transport

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/transporttest"
)

// managerVariable makes a process of this test binary the service manager of a
// channel: the number of the transport, then the place.
const managerVariable = "IPCBENCH_BINDER_MANAGER"

func TestMain(m *testing.M) {
	if task, ok := os.LookupEnv(managerVariable); ok {
		if err := manage(task); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	startManager = startManagerProcess
	transporttest.Main(m, Transports()...)
}

var startHere = startManager

// manage is the service manager until standard input ends.
func manage(task string) error {
	name, place, _ := strings.Cut(task, "\n")
	for _, t := range Transports() {
		if t.Info().Name != name {
			continue
		}
		stop, err := startHere(t.(*transport).platform, place)
		if err != nil {
			return err
		}
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
		return stop()
	}
	return fmt.Errorf("no transport %q", name)
}

// startManagerProcess puts the service manager into a process of its own: the
// ends of a channel are all in this one, whose calls of a manager of its own
// the driver would refuse.
func startManagerProcess(p platform, place string) (stop func() error, err error) {
	cmd := exec.Command("/proc/self/exe")
	for _, t := range Transports() {
		if t.(*transport).platform == p {
			cmd.Env = append(os.Environ(), managerVariable+"="+t.Info().Name+"\n"+place)
		}
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		cmd.Wait()
		return nil, fmt.Errorf("the manager says %q: %v", line, err)
	}
	return func() error {
		in.Close()
		return cmd.Wait()
	}, nil
}

func TestTransports(t *testing.T) {
	for _, transport := range Transports() {
		t.Run(transport.Info().Name, func(t *testing.T) {
			transporttest.Run(t, subject(transport))
		})
	}
}

// subject leaves the system calls of a round trip open: a thread's first read
// returns at once and costs one more.
func subject(t ipc.Transport) transporttest.Subject {
	carrier := t.(*transport).carrier
	s := transporttest.Subject{Transport: t, Copies: 1, Unordered: true, Largest: regionSize - carrier.overhead()}
	if _, isPlain := carrier.(plain); !isPlain {
		s.Copies = 2
	}
	return s
}

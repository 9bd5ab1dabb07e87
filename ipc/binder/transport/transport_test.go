package transport

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"

	"ipcbench/internal/child"
	"ipcbench/ipc"
	"ipcbench/ipc/binder/driver"
	"ipcbench/ipc/transporttest"
)

// managerVariable makes a process of this test binary the service manager of a
// channel: the number of the transport, then the place.
const managerVariable = "IPCBENCH_BINDER_MANAGER"

func TestMain(m *testing.M) {
	for variable, f := range map[string]func(string) error{managerVariable: manage, brokerVariable: serveBroker} {
		if task, ok := os.LookupEnv(variable); ok {
			if err := f(task); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	startManager, startBroker = startManagerProcess, startBrokerProcess
	transporttest.Main(m, subjects()...)
}

var startHere = startManager

// base is what all transports have in common.
func base(t ipc.Transport) *transport {
	if b, ok := t.(*brokered); ok {
		return b.transport
	}
	return t.(*transport)
}

// manage is the service manager until standard input ends.
func manage(task string) error {
	name, place, _ := strings.Cut(task, "\n")
	for _, t := range Transports() {
		if t.Info().Name != name {
			continue
		}
		stop, err := startHere(base(t).platform, place)
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
	var task string
	for _, t := range Transports() {
		if base(t).platform == p {
			task = t.Info().Name + "\n" + place
		}
	}
	return startChild(managerVariable, task)
}

// brokerVariable makes a process of this test binary the broker of a channel: the
// number of clients, then the place. It inherits the socket.
const brokerVariable = "IPCBENCH_BINDER_BROKER"

// startBrokerProcess does what the harness does.
func startBrokerProcess(l *link, clients int) (stop func() error, err error) {
	h, err := (&brokeredLink{l}).Broker()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return startChild(brokerVariable, fmt.Sprintf("%d\n%s", clients, l.place), h.Files...)
}

// serveBroker is a broker until standard input ends.
func serveBroker(task string) error {
	var clients int
	var place string
	if _, err := fmt.Sscanf(task, "%d\n%s", &clients, &place); err != nil {
		return err
	}
	debug.SetGCPercent(-1)
	for _, t := range Transports() {
		b, ok := t.(*brokered)
		if !ok {
			continue
		}
		broker, err := b.Broker(ipc.Config{Clients: clients}, ipc.Handover{Files: []*os.File{os.NewFile(3, "socket")}, Data: []byte(place)})
		if err != nil {
			return err
		}
		fmt.Println("ready")
		io.Copy(io.Discard, os.Stdin)
		return broker.Close()
	}
	return errors.New("no transport has a broker")
}

// startChild starts this test binary with a variable, and waits until it is ready.
func startChild(variable, task string, files ...*os.File) (stop func() error, err error) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), variable+"="+task)
	cmd.ExtraFiles = files
	c, err := child.StartReady(cmd)
	if err != nil {
		return nil, err
	}
	return func() error {
		_, err := c.End()
		return err
	}, nil
}

// TestEqualWaits: rows of one wait are compared, so it must be one wait.
func TestEqualWaits(t *testing.T) {
	if driver.AdaptiveSpin != ipc.AdaptiveSpin {
		t.Errorf("the driver looks for %v before it sleeps, other transports for %v", driver.AdaptiveSpin, ipc.AdaptiveSpin)
	}
}

func TestConformance(t *testing.T) { transporttest.Run(t, subjects()...) }

func subjects() (all []transporttest.Subject) {
	for _, transport := range Transports() {
		all = append(all, subject(transport))
	}
	return all
}

// subject leaves the system calls of a round trip open: a thread's first read
// returns at once and costs one more.
func subject(t ipc.Transport) transporttest.Subject {
	carrier := base(t).carrier
	s := transporttest.Subject{Transport: t, Copies: 1, Largest: regionSize - carrier.overhead()}
	if _, isPlain := carrier.(*plain); !isPlain {
		s.Copies = 2
	}
	return s
}

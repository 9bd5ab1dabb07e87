package cast

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"ipcbench/harness/control"
)

// Role says which part an actor plays, and where.
type Role struct {
	// Part is the name of a registered one.
	Part string
	// Subject and Place are the device; both are empty for an actor without.
	Subject, Place string
	// Props are for the part, which gets them by Stage.Props; nil for none.
	Props any
	// User runs the actor as another user with no groups, which only root can;
	// 0 is the user of this process.
	User uint32
}

// Actor is a process of an experiment, in the experiment's hands.
type Actor struct {
	role   Role
	cmd    *exec.Cmd
	line   *control.Conn
	stderr strings.Builder
	exited chan struct{}
}

// Start starts an actor. End must follow.
func Start(r Role) (*Actor, error) {
	props, err := json.Marshal(r.Props)
	if err != nil {
		return nil, err
	}
	line, inherited, err := control.Pair()
	if err != nil {
		return nil, err
	}
	defer inherited.Close()
	a := &Actor{role: r, line: line, exited: make(chan struct{})}
	a.cmd = exec.Command("/proc/self/exe", Argument)
	a.cmd.Args[0] = os.Args[0]
	a.cmd.ExtraFiles = []*os.File{inherited}
	a.cmd.Stderr = &a.stderr
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if r.User != 0 {
		a.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: r.User, Gid: r.User}
		a.cmd.Dir = "/"
	}
	if err := a.cmd.Start(); err != nil {
		line.Close()
		return nil, fmt.Errorf("start %s: %w", r.Part, err)
	}
	go func() {
		a.cmd.Wait()
		close(a.exited)
	}()
	if err := line.Send(call{r.Part, r.Subject, r.Place, props}); err != nil {
		return nil, errors.Join(a.death(err), a.End())
	}
	return a, nil
}

// PID is the actor's process.
func (a *Actor) PID() int { return a.cmd.Process.Pid }

// Say tells the actor something.
func (a *Actor) Say(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := a.line.Send(message{Value: b}); err != nil {
		return a.death(err)
	}
	return nil
}

// Hear waits for what the actor says next. An actor that failed or died instead
// is an error, which wraps errors.ErrUnsupported if its own did.
func (a *Actor) Hear(v any) error {
	var m message
	if err := a.line.Receive(&m, patience); err != nil {
		return a.death(err)
	}
	if m.Error != "" {
		if m.Unsupported {
			return fmt.Errorf("%s: %s%w", a.role.Part, strings.TrimSuffix(m.Error, errors.ErrUnsupported.Error()), errors.ErrUnsupported)
		}
		return fmt.Errorf("%s: %s", a.role.Part, m.Error)
	}
	return json.Unmarshal(m.Value, v)
}

// Ask says something and waits for the answer.
func (a *Actor) Ask(order, answer any) error {
	if err := a.Say(order); err != nil {
		return err
	}
	return a.Hear(answer)
}

// death says how an actor whose line broke ended, if it did.
func (a *Actor) death(err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s (pid %d): %w", a.role.Part, a.PID(), err)
	}
	select {
	case <-a.exited:
		return &Death{Part: a.role.Part, Status: a.cmd.ProcessState.Sys().(syscall.WaitStatus), Said: firstLine(a.stderr.String())}
	case <-time.After(grace):
		return fmt.Errorf("%s (pid %d) hung up: %w", a.role.Part, a.PID(), err)
	}
}

// Death is the error of an actor that ended before it said what it was to say.
type Death struct {
	Part   string
	Status syscall.WaitStatus
	// Said is the first line of its standard error.
	Said string
}

func (d *Death) Error() string {
	how := fmt.Sprintf("exit status %d", d.Status.ExitStatus())
	if d.Status.Signaled() {
		how = d.Status.Signal().String()
	}
	return fmt.Sprintf("%s ended: %s %s", d.Part, how, d.Said)
}

func firstLine(s string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return first
}

// End ends the actor's line, on which it ends, and waits for that.
func (a *Actor) End() error {
	a.line.Close()
	<-a.exited
	if status := a.cmd.ProcessState; !status.Success() {
		return fmt.Errorf("%s: %v %s", a.role.Part, status, firstLine(a.stderr.String()))
	}
	return nil
}

// Kill ends it as SIGKILL does.
func (a *Actor) Kill() {
	a.cmd.Process.Kill()
	a.line.Close()
	<-a.exited
}

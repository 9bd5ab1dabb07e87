package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"ipcbench/harness/control"
	"ipcbench/ipc"
)

// ErrWorker reports a worker process that died or failed.
var ErrWorker = errors.New("worker failed")

const (
	// startTimeout is for a worker that hangs: one that ends is noticed at once,
	// and an emulated machine whose host is busy needs long.
	startTimeout = 60 * time.Second
	quitTimeout  = 3 * time.Second
)

// process is a worker process in the harness's hands.
type process struct {
	name   string
	cmd    *exec.Cmd
	line   *control.Conn
	stderr tail
	exited chan struct{}
}

// startProcess starts a program as a worker and closes this process's copies of what it
// inherits. The worker answers Ready when it has taken up its end.
func startProcess(program, name string, task assignment, h ipc.Handover, env []string, where []int) (*process, error) {
	defer h.Close()
	line, inherited, err := control.Pair()
	if err != nil {
		return nil, err
	}
	defer inherited.Close()
	p := &process{name: name, line: line, exited: make(chan struct{})}
	p.cmd = exec.Command(program, WorkerArgument)
	p.cmd.Args[0] = os.Args[0]
	p.cmd.ExtraFiles = append([]*os.File{inherited}, h.Files...)
	p.cmd.Env = env
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := on(where, p.cmd.Start); err != nil {
		line.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	task.Data, task.Files = h.Data, len(h.Files)
	return p, p.send(order{Assign: &task})
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) send(o order) error {
	if err := p.line.Send(o); err != nil {
		return p.failed(err)
	}
	return nil
}

// receive waits for one answer.
func (p *process) receive(timeout time.Duration) (answer, error) {
	var a answer
	if err := p.line.Receive(&a, timeout); err != nil {
		return a, p.failed(err)
	}
	if a.Error != "" {
		return a, fmt.Errorf("%w: %s: %s", ErrWorker, p.name, a.Error)
	}
	return a, nil
}

// failed says why a worker's line broke: how it died, if it did.
func (p *process) failed(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: %s (pid %d) did not answer in time", ErrWorker, p.name, p.pid())
	}
	select {
	case <-p.exited:
		return p.death()
	case <-time.After(time.Second):
		return fmt.Errorf("%w: %s (pid %d): %w", ErrWorker, p.name, p.pid(), err)
	}
}

// dead reports whether the process has ended.
func (p *process) dead() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

func (p *process) death() error {
	said := strings.TrimSpace(p.stderr.String())
	if said != "" {
		said = ": " + said
	}
	return fmt.Errorf("%w: %s (pid %d) died: %v%s", ErrWorker, p.name, p.pid(), p.cmd.ProcessState, said)
}

// quit ends the process in good order, or by force after a time.
func (p *process) quit() {
	p.line.Send(order{Quit: true})
	p.line.Close()
	select {
	case <-p.exited:
	case <-time.After(quitTimeout):
		p.kill()
	}
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.exited
}

// tail keeps the last of what a worker writes to its standard error.
type tail struct {
	mutex sync.Mutex
	kept  []byte
}

const tailBytes = 2048

func (t *tail) Write(b []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.kept = append(t.kept, b...)
	t.kept = t.kept[max(0, len(t.kept)-tailBytes):]
	return len(b), nil
}

func (t *tail) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return string(t.kept)
}

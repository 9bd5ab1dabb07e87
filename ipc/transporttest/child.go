package transporttest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"

	"ipcbench/ipc"
)

// childVariable holds the task of a test binary that was started as a child.
const childVariable = "IPCBENCH_TRANSPORTTEST_CHILD"

// task is what a child is told.
type task struct {
	Transport, Role string
	Config          ipc.Config
	Files           int
	Data            []byte
}

// role is what a child does with its end.
type role func(s Subject, cfg ipc.Config, h ipc.Handover, p *parent) error

var roles = map[string]role{
	"serve": serveCounted,
	"hang":  serveAndHang,
	"idle":  callAndIdle,
	"call":  callOnce,

	"ask-half":    askHalf,
	"answer-half": answerHalf,

	"create":          createAndOffer,
	"serve-till-told": serveTillTold,
	"call-till-told":  callTillTold,
	"send":            sendSome,
}

// parent is who started this child, and talks to it in lines.
type parent struct{ in *bufio.Reader }

func (p *parent) say(line string) { fmt.Println(line) }

// ready says that the child has come as far as the parent waits for.
func (p *parent) ready() { p.say("ready") }

// hear waits for what the parent says next; an error is its end.
func (p *parent) hear() (line string, err error) { return p.in.ReadString('\n') }

// child is a process of this binary with one end of a channel.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	// pipe is what out reads.
	pipe *os.File
}

// start starts a child, hands an end over to it, and returns when it is ready.
func start(t testing.TB, s Subject, cfg ipc.Config, role string, h ipc.Handover) *child {
	t.Helper()
	description, err := json.Marshal(task{s.Info().Name, role, cfg, len(h.Files), h.Data})
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childVariable+"="+string(description))
	if s.Info().PoolThreads > 0 {
		// The idle threads of a pool are called back by signals when a count of
		// allocations stops the world.
		c.cmd.Env = append(c.cmd.Env, "GODEBUG=")
	}
	c.cmd.ExtraFiles = h.Files
	c.cmd.Stderr = os.Stderr
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.pipe = out.(*os.File)
	c.out = bufio.NewReader(out)
	err = c.cmd.Start()
	h.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	return c
}

// awaitReady waits until the child has called ready.
func (c *child) awaitReady(t testing.TB) {
	t.Helper()
	if line, err := c.out.ReadString('\n'); line != "ready\n" {
		t.Fatalf("the child said %q: %v", line, err)
	}
}

// tell says something to the child, which may be gone.
func (c *child) tell(line string) { fmt.Fprintln(c.in, line) }

// kill kills the child at once and waits until it is gone. It may have gone
// before.
func (c *child) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// runChild does the task and returns the exit status.
func runChild(description string, subjects []Subject) int {
	if err := doTask(description, subjects); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	return 0
}

func doTask(description string, subjects []Subject) error {
	var k task
	if err := json.Unmarshal([]byte(description), &k); err != nil {
		return err
	}
	i := slices.IndexFunc(subjects, func(s Subject) bool { return s.Info().Name == k.Transport })
	if i < 0 {
		return fmt.Errorf("%q is not among the subjects", k.Transport)
	}
	h := ipc.Handover{Data: k.Data}
	for n := range k.Files {
		h.Files = append(h.Files, os.NewFile(uintptr(3+n), "inherited"))
	}
	runtime.LockOSThread()
	return roles[k.Role](subjects[i], k.Config, h, &parent{bufio.NewReader(os.Stdin)})
}

package evidence_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/internal/child"
	"ipcbench/internal/leakcheck"
	"ipcbench/ipc/copies"
)

const childVariable = "IPCBENCH_EVIDENCE_CHILD"

// TestMain turns the test binary into one of the children below, where the
// environment says so.
func TestMain(m *testing.M) {
	if work, ok := children[os.Getenv(childVariable)]; ok {
		if err := work(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// children are programs that are watched. Each greets with a line of JSON, waits
// for a line between its steps, and ends when its input does.
var children = map[string]func(in io.Reader, out io.Writer) error{
	"pipe":    pipeChild,
	"polled":  polledChild,
	"copies":  copiesChild,
	"hidden":  hiddenChild,
	"starter": starterChild,
	"signal":  signalChild,
}

var (
	writeSite = copies.NewSite("pipe/write", copies.Kernel)
	readSite  = copies.NewSite("pipe/read", copies.Kernel)
)

// greeting is what a child says of itself at first, report what it did.
type greeting struct{ TID int }

const (
	rounds  = 200
	payload = 100
	header  = 16
)

// pipeChild moves messages through a pipe on one locked thread, which rests in
// Go between the steps, and gives its ledger.
func pipeChild(in io.Reader, out io.Writer) error {
	steps := bufio.NewScanner(in)
	begin, done := make(chan bool), make(chan error)
	thread := make(chan int)
	var ledger *copies.Ledger
	go func() {
		runtime.LockOSThread()
		thread <- unix.Gettid()
		<-begin
		var err error
		ledger, err = throughPipe(rounds)
		done <- err
	}()
	if err := say(out, greeting{<-thread}); err != nil {
		return err
	}
	steps.Scan()
	begin <- true
	if err := <-done; err != nil {
		return err
	}
	if err := say(out, ledger.Report()); err != nil {
		return err
	}
	steps.Scan()
	return nil
}

// throughPipe counts the calls that it makes: two for the pipe, one that fails
// for want of data, two a message, two to close.
func throughPipe(n int) (*copies.Ledger, error) {
	ledger := copies.NewLedger(copies.Request)
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	message := make([]byte, header+payload)
	unix.Read(fds[0], message)
	for range n {
		if _, err := unix.Write(fds[1], message); err != nil {
			return nil, err
		}
		ledger.Sent(writeSite, payload, header)
		if _, err := unix.Read(fds[0], message); err != nil {
			return nil, err
		}
		ledger.Received(readSite, payload, header)
		ledger.Delivered(payload)
	}
	unix.Close(fds[0])
	unix.Close(fds[1])
	ledger.Syscalls(4 + 2*n)
	return ledger, nil
}

// polledChild moves messages through a pipe of the runtime's poller, from one
// goroutine to another.
func polledChild(in io.Reader, out io.Writer) error {
	steps := bufio.NewScanner(in)
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	read := make(chan error)
	begin := make(chan bool)
	ledger := copies.NewLedger(copies.Request)
	go func() {
		message := make([]byte, payload)
		for range begin {
			_, err := io.ReadFull(r, message)
			read <- err
		}
	}()
	move := func(n int) error {
		message := make([]byte, payload)
		for range n {
			begin <- true
			if _, err := w.Write(message); err != nil {
				return err
			}
			ledger.Sent(writeSite, payload, 0)
			if err := <-read; err != nil {
				return err
			}
			ledger.Received(readSite, payload, 0)
			ledger.Syscalls(2)
		}
		return nil
	}
	if err := move(rounds); err != nil {
		return err
	}
	for {
		ledger.Reset()
		if err := say(out, greeting{}); err != nil || !steps.Scan() {
			return err
		}
		if err := move(rounds); err != nil {
			return err
		}
		if err := say(out, ledger.Report()); err != nil || !steps.Scan() {
			return err
		}
	}
}

// starterChild begins a thread during the pass.
func starterChild(in io.Reader, out io.Writer) error {
	steps := bufio.NewScanner(in)
	if err := say(out, greeting{}); err != nil {
		return err
	}
	steps.Scan()
	const more = 64
	started, end := make(chan bool), make(chan bool)
	defer close(end)
	for range more {
		go func() {
			runtime.LockOSThread()
			started <- true
			<-end
		}()
	}
	for range more {
		<-started
	}
	if err := say(out, copies.Report{}); err != nil {
		return err
	}
	steps.Scan()
	return nil
}

const canarySize = 70_000

// random fills p, with bytes that no other memory holds: the generator keeps
// none of them.
func random(p []byte) []byte {
	generator := rand.NewPCG(20, 11)
	for i := range p {
		p[i] = byte(generator.Uint64())
	}
	return p
}

// private is n bytes of memory apart from Go's.
func private(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
}

// copiesChild holds the payload in private memory, and in a memory file that
// is mapped twice, behind an odd offset.
func copiesChild(in io.Reader, out io.Writer) error {
	return holdCopies(in, out, func(p []byte) error {
		fd, err := unix.MemfdCreate("canary", unix.MFD_CLOEXEC)
		if err != nil {
			return err
		}
		if err := unix.Ftruncate(fd, 2*canarySize); err != nil {
			return err
		}
		window, err := unix.Mmap(fd, 0, 2*canarySize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return err
		}
		other, err := unix.Mmap(fd, 0, 2*canarySize, unix.PROT_READ, unix.MAP_SHARED)
		if err != nil {
			return err
		}
		copy(window[333:], p)
		if other[333+canarySize-1] != p[canarySize-1] {
			return fmt.Errorf("two windows, two contents")
		}
		return nil
	})
}

// hiddenChild holds a copy of the middle of the payload that no ledger knows.
func hiddenChild(in io.Reader, out io.Writer) error {
	return holdCopies(in, out, func(p []byte) error {
		hidden, err := private(canarySize)
		copy(hidden, p[canarySize/4:canarySize*3/4])
		return err
	})
}

// signalSize is the payload of signalChild, in bytes.
const signalSize = 64

// signalChild copies a small payload, and is interrupted by a signal while that is
// still in the registers it was copied through.
func signalChild(in io.Reader, out io.Writer) error {
	runtime.LockOSThread()
	return holdCopies(in, out, func(p []byte) error {
		copied, err := private(signalSize)
		if err != nil {
			return err
		}
		pid, tid := unix.Getpid(), unix.Gettid()
		copy(copied, p)
		return unix.Tgkill(pid, tid, unix.SIGURG)
	})
}

func holdCopies(in io.Reader, out io.Writer, more func([]byte) error) error {
	p, err := private(canarySize)
	if err != nil {
		return err
	}
	if err := more(random(p)); err != nil {
		return err
	}
	if err := say(out, greeting{}); err != nil {
		return err
	}
	bufio.NewScanner(in).Scan()
	return nil
}

func say(out io.Writer, v any) error { return json.NewEncoder(out).Encode(v) }

// actor is a running child, seen by its test.
type actor struct {
	t     *testing.T
	pid   int
	in    io.WriteCloser
	lines *json.Decoder
}

// start runs a child that lives until the end of the test.
func start(t *testing.T, name string) *actor {
	t.Helper()
	leakcheck.Expect(t, nil)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVariable+"="+name)
	c, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := c.End(); err != nil {
			t.Errorf("child %s: %v", name, err)
		}
	})
	return &actor{t: t, pid: c.Process.Pid, in: c.In, lines: json.NewDecoder(c.Out)}
}

func (c *actor) hear(v any) {
	c.t.Helper()
	if err := c.lines.Decode(v); err != nil {
		c.t.Fatalf("hear from child: %v", err)
	}
}

func (c *actor) step() {
	c.t.Helper()
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		c.t.Fatal(err)
	}
}

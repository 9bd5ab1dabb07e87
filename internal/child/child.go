// Package child starts the processes of tests and hears from them: a child says on
// its standard output that it is ready, and most end with their standard input.
package child

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// Ready is the line that a child says first.
const Ready = "ready"

// Child is a process that was started.
type Child struct {
	*exec.Cmd
	In  io.WriteCloser // its standard input
	Out *bufio.Reader  // what it says
}

// Start starts a command, whose standard error is this process's. Who starts it
// ends it with End or Kill.
func Start(cmd *exec.Cmd) (*Child, error) {
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
	return &Child{Cmd: cmd, In: in, Out: bufio.NewReader(out)}, nil
}

// StartReady is Start for a child that says Ready, and waits until it does. One
// that says something else, or ends, is an error, and is gone.
func StartReady(cmd *exec.Cmd) (*Child, error) {
	c, err := Start(cmd)
	if err != nil {
		return nil, err
	}
	if line, err := c.Out.ReadString('\n'); line != Ready+"\n" {
		c.Kill()
		return nil, fmt.Errorf("the child is not ready: it says %q: %w", line, err)
	}
	return c, nil
}

// End ends the child's input and waits until it is gone. It returns what the child
// said meanwhile; the error is that of exec.Cmd's Wait.
func (c *Child) End() (said string, err error) {
	_ = c.In.Close()
	rest, _ := io.ReadAll(c.Out)
	return string(rest), c.Wait()
}

// Kill kills the child, which may be gone, and waits until it is.
func (c *Child) Kill() {
	_ = c.Process.Kill()
	_ = c.Wait()
}

package party

import (
	"fmt"
	"io"
	"net/rpc"
	"time"
)

// patience is how long a call may take that has nobody to wait for.
const patience = 20 * time.Second

// Client is the test's side of a party.
type Client struct {
	PID  int32  // as the device knows the party
	EUID uint32 // as the device knows it

	rpc *rpc.Client
	end func() string
}

func newClient(conn io.ReadWriteCloser, pid int32, euid uint32, end func() string) *Client {
	return &Client{PID: pid, EUID: euid, rpc: rpc.NewClient(conn), end: end}
}

// Kill ends the party as SIGKILL ends a process, waits for that, and returns
// what it had written to standard error. Later calls fail. It can be called
// again.
func (c *Client) Kill() (output string) { return c.end() }

// Pending is a call under way.
type Pending[T any] struct {
	call  *rpc.Call
	value *T
}

// Start begins an operation of the agent by its name.
func Start[T any](c *Client, operation string, args any) Pending[T] {
	value := new(T)
	return Pending[T]{c.rpc.Go("Party."+operation, args, value, make(chan *rpc.Call, 1)), value}
}

// Wait waits until the operation is done. One that is not within a time that
// no working device needs is an error.
func (p Pending[T]) Wait() (T, error) {
	select {
	case done := <-p.call.Done:
		p.call.Done <- done
		return *p.value, done.Error
	case <-time.After(patience):
		return *p.value, fmt.Errorf("%s still blocked after %v", p.call.ServiceMethod, patience)
	}
}

// Done says whether the operation is done.
func (p Pending[T]) Done() bool { return len(p.call.Done) > 0 }

// Call does an operation and waits for its result.
func Call[T any](c *Client, operation string, args any) (Result[T], error) {
	return Start[Result[T]](c, operation, args).Wait()
}

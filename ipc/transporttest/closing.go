package transporttest

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
)

// The tests of this file close an end while the other side of the process waits
// on it. That the thread is already asleep in the kernel cannot be observed in
// every transport; settle gives it time, and the outcome is the same without.
const settle = 2 * time.Millisecond

// patience is how long a call that has to return may take.
const patience = 5 * time.Second

// testCloseServer closes a server that waits for requests.
func testCloseServer(t *testing.T, s Subject) {
	for _, wait := range s.Info().Waits {
		t.Run(wait.String(), func(t *testing.T) {
			cfg := config(s, 4096)
			cfg.Wait, cfg.Clients = wait, 2
			c := open(t, s, cfg)
			c.serve(echo(4096))
			c.echo(c.clients[0], newContents(6), []int{64})
			time.Sleep(settle)
			if err := c.server.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			c.expectServed(ipc.ErrClosed)
			c.expectCall(c.clients[0], 64, ipc.ErrPeerGone)
		})
	}
}

// testCloseClient closes a client that waits for its reply.
func testCloseClient(t *testing.T, s Subject) {
	for _, wait := range s.Info().Waits {
		t.Run(wait.String(), func(t *testing.T) {
			cfg := config(s, 4096)
			cfg.Wait = wait
			c := open(t, s, cfg)
			release := make(chan struct{})
			c.serve(waiting(release))
			called := c.callAside(c.clients[0], 64)
			time.Sleep(settle)
			if err := c.clients[0].Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			c.expect("blocked call", called, ipc.ErrClosed)
			close(release)
			c.expectServed(ipc.ErrPeerGone)
		})
	}
}

// testCloseSender closes a client whose request nobody takes.
func testCloseSender(t *testing.T, s Subject) {
	c := open(t, s, config(s, s.largest()))
	called := c.callAside(c.clients[0], s.largest())
	time.Sleep(settle)
	closed := make(chan error, 1)
	go func() { closed <- c.clients[0].Close() }()
	c.expect("close", closed, nil)
	c.expect("blocked call", called, ipc.ErrClosed)
}

// testClosedEnds expects ends to be closed twice, and to say so afterwards.
func testClosedEnds(t *testing.T, s Subject) {
	c := open(t, s, config(s, 4096))
	request := c.buffer(c.clients[0], 64)
	for range 2 {
		if err := c.clients[0].Close(); err != nil {
			t.Errorf("close a client: %v", err)
		}
		if err := c.server.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
	}
	if err := c.tryCall(c.clients[0], request); !errors.Is(err, ipc.ErrClosed) {
		t.Errorf("call after close: %v", err)
	}
	c.serve(echo(64))
	c.expectServed(ipc.ErrClosed)
}

// waiting answers when it is released.
func waiting(release <-chan struct{}) ipc.Service {
	return service(func(t ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
		reply, err := t.Buffer(0)
		return func([]byte, bool) *ipc.Buffer {
			<-release
			return reply
		}, err
	})
}

// callAside calls on a thread of its own.
func (c *channel) callAside(client ipc.Client, n int) <-chan error {
	request := c.buffer(client, n)
	called := make(chan error, 1)
	c.caller = make(chan int, 1)
	go c.asClient(func() {
		c.caller <- unix.Gettid()
		_, err := client.Call(request)
		called <- err
	})
	return called
}

func (c *channel) expectCall(client ipc.Client, n int, want error) {
	c.t.Helper()
	c.expect("call", c.callAside(client, n), want)
}

func (c *channel) expectServed(want error) {
	c.t.Helper()
	c.expect("serve", c.served, want)
}

func (c *channel) expect(what string, returned <-chan error, want error) {
	c.t.Helper()
	select {
	case err := <-returned:
		if !errors.Is(err, want) {
			c.t.Errorf("%s: %v, want %v", what, err, want)
		}
	case <-time.After(patience):
		c.t.Fatalf("%s does not return; want %v", what, want)
	}
}

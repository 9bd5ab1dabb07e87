package transporttest

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"ipcbench/ipc"
)

// testClientKilled kills a client that is idle.
func testClientKilled(t *testing.T, s Subject) {
	cfg := config(s, 64)
	c := create(t, s, cfg)
	c.listen(cfg)
	peer := start(t, s, cfg, "idle", c.handover(c.link.Client(0)))
	c.serve(echo(64))
	peer.awaitReady(t)
	peer.kill()
	c.expectServed(ipc.ErrPeerGone)
}

// testClientKilledCalling kills a client that is blocked in a call which nobody
// serves yet: in the middle of its message, where the channel holds less than a
// message, else waiting for the reply.
func testClientKilledCalling(t *testing.T, s Subject) {
	for _, size := range []int{64, 1 << 20, s.largest()} {
		cfg := config(s, size)
		c := create(t, s, cfg)
		c.listen(cfg)
		peer := start(t, s, cfg, "call", c.handover(c.link.Client(0)))
		peer.awaitAsleep(t)
		peer.kill()
		c.serve(echo(size))
		c.expectServed(ipc.ErrPeerGone)
	}
}

// testServerKilled kills a server that a client waits for.
func testServerKilled(t *testing.T, s Subject) {
	for _, wait := range s.Info().Waits {
		cfg := config(s, 4096)
		cfg.Wait = wait
		c, peer := serveAside(t, s, cfg, "hang")
		called := c.callAside(c.clients[0], 64)
		peer.awaitReady(t)
		peer.kill()
		c.expect("call "+wait.String(), called, ipc.ErrPeerGone)
	}
}

// testServerKilledServing kills a server that is stopped with a message of the
// client's in its hands, or in the middle of it.
func testServerKilledServing(t *testing.T, s Subject) {
	for _, size := range []int{64, 1 << 20, s.largest()} {
		c, peer := serveAside(t, s, config(s, size), "serve")
		peer.awaitReady(t)
		peer.stop(t)
		called := c.callAside(c.clients[0], size)
		awaitState(t, os.Getpid(), <-c.caller, 'S')
		peer.kill()
		c.expect("call", called, ipc.ErrPeerGone)
	}
}

// testKilledAtWork kills one end of a stream of calls with large payloads at any
// moment, most of which are in the middle of a message.
func testKilledAtWork(t *testing.T, s Subject) {
	cfg := config(s, s.largest())
	r := rand.New(rand.NewPCG(20, 27))
	for range 4 {
		whenever := time.Duration(r.IntN(4000)) * time.Microsecond
		t.Run("server-after-"+whenever.String(), func(t *testing.T) {
			c, peer := serveAside(t, s, cfg, "serve")
			peer.awaitReady(t)
			called := c.callOnAndOn(c.clients[0], cfg.MaxRequest)
			time.Sleep(whenever)
			peer.kill()
			c.expect("call", called, ipc.ErrPeerGone)
		})
		t.Run("client-after-"+whenever.String(), func(t *testing.T) {
			c := create(t, s, cfg)
			c.listen(cfg)
			peer := start(t, s, cfg, "call-till-told", c.handover(c.link.Client(0)))
			c.serve(echo(cfg.MaxReply))
			peer.awaitReady(t)
			time.Sleep(whenever)
			peer.kill()
			c.expectServed(ipc.ErrPeerGone)
		})
	}
}

// callOnAndOn calls on a thread of its own until that fails.
func (c *channel) callOnAndOn(client ipc.Client, n int) <-chan error {
	request := c.buffer(client, n)
	failed := make(chan error, 1)
	go c.asClient(func() {
		var err error
		for err == nil {
			_, err = client.Call(request)
		}
		failed <- err
	})
	return failed
}

// serveAside makes a channel with its server in a child and a client here.
func serveAside(t testing.TB, s Subject, cfg ipc.Config, role string) (*channel, *child) {
	t.Helper()
	c := create(t, s, cfg)
	peer := start(t, s, cfg, role, c.handover(c.link.Server()))
	c.dial(cfg, 0)
	return c, peer
}

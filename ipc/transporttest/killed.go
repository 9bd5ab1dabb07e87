package transporttest

import (
	"os"
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
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

// testKilledInMessage leaves each end with the first bytes of a message whose
// sender is killed.
func testKilledInMessage(t *testing.T, s Subject) {
	if s.Inject == nil {
		t.Skip("the transport gives no way in")
	}
	cfg := config(s, hostileLimit)
	part := append(header(ipc.Header{Length: 1000}), "only this"...)
	t.Run("request", func(t *testing.T) {
		c := create(t, s, cfg)
		c.listen(cfg)
		h := c.handover(c.link.Client(0))
		c.inject(h, copies.Request, part)
		peer := start(t, s, cfg, "hold", h)
		peer.awaitReady(t)
		peer.kill()
		c.serve(echo(hostileLimit))
		c.expectServed(ipc.ErrPeerGone)
	})
	t.Run("reply", func(t *testing.T) {
		c := create(t, s, cfg)
		c.dial(cfg, 0)
		h := c.handover(c.link.Server())
		c.inject(h, copies.Reply, part)
		peer := start(t, s, cfg, "hold", h)
		peer.awaitReady(t)
		peer.kill()
		c.expectCall(c.clients[0], 64, ipc.ErrPeerGone)
	})
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

// serveAside makes a channel with its server in a child and a client here.
func serveAside(t *testing.T, s Subject, cfg ipc.Config, role string) (*channel, *child) {
	t.Helper()
	c := create(t, s, cfg)
	peer := start(t, s, cfg, role, c.handover(c.link.Server()))
	c.dial(cfg, 0)
	return c, peer
}

package transporttest

import (
	"testing"
	"time"

	"ipcbench/ipc"
)

// testClientKilled kills a client that is idle.
func testClientKilled(t *testing.T, s Subject) { killClient(t, s, "idle", 64, 0) }

// testClientKilledCalling kills a client at several points of large messages.
func testClientKilledCalling(t *testing.T, s Subject) {
	for i := range 4 {
		killClient(t, s, "call", 1<<20, time.Duration(i)*333*time.Microsecond)
	}
}

func killClient(t *testing.T, s Subject, role string, size int, after time.Duration) {
	t.Helper()
	cfg := config(s, size)
	c := create(t, s, cfg)
	c.listen(cfg)
	h := c.handover(c.link.Client(0))
	peer := start(t, s, cfg, role, h)
	c.serve(echo(size))
	peer.awaitReady(t)
	time.Sleep(after)
	peer.kill()
	c.expectServed(ipc.ErrPeerGone)
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

// testServerKilledServing kills a server at several points of large messages.
func testServerKilledServing(t *testing.T, s Subject) {
	const size = 1 << 20
	for i := range 4 {
		c, peer := serveAside(t, s, config(s, size), "serve")
		peer.awaitReady(t)
		called := make(chan error, 1)
		request := c.buffer(c.clients[0], size)
		go c.asClient(func() {
			var err error
			for err == nil {
				_, err = c.clients[0].Call(request)
			}
			called <- err
		})
		time.Sleep(time.Duration(1+3*i) * 333 * time.Microsecond)
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

package transporttest

import (
	"runtime"
	"testing"

	"ipcbench/ipc"
)

// channel is a server and its clients in this process.
type channel struct {
	t       testing.TB
	s       Subject
	link    ipc.Link
	server  ipc.Server
	clients []ipc.Client
	served  chan error
	// caller is the thread of the last callAside.
	caller chan int
}

// open makes a channel with all its ends here, which are closed when the test
// ends.
func open(t *testing.T, s Subject, cfg ipc.Config) *channel {
	t.Helper()
	c := create(t, s, cfg)
	c.listen(cfg)
	for i := range cfg.Clients {
		c.dial(cfg, i)
	}
	return c
}

// create makes a channel and leaves its ends to be taken up.
func create(t testing.TB, s Subject, cfg ipc.Config) *channel {
	t.Helper()
	link, err := s.Create(cfg)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	c := &channel{t: t, s: s, link: link, served: make(chan error, 1)}
	t.Cleanup(c.close)
	return c
}

// Listen makes a channel with its server here, and leaves the end of its client. All
// but that is closed when the test ends.
func Listen(t testing.TB, tr ipc.Transport, cfg ipc.Config) (ipc.Server, ipc.Handover) {
	t.Helper()
	link, err := tr.Create(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { link.Close() })
	h, err := link.Server()
	if err != nil {
		t.Fatal(err)
	}
	server, err := tr.Listen(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if h, err = link.Client(0); err != nil {
		t.Fatal(err)
	}
	return server, h
}

func (c *channel) handover(h ipc.Handover, err error) ipc.Handover {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("handover: %v", err)
	}
	return h
}

func (c *channel) listen(cfg ipc.Config) {
	c.t.Helper()
	server, err := c.s.Listen(cfg, c.handover(c.link.Server()))
	if err != nil {
		c.t.Fatalf("listen: %v", err)
	}
	c.server = server
}

func (c *channel) dial(cfg ipc.Config, i int) {
	c.t.Helper()
	client, err := c.s.Dial(cfg, c.handover(c.link.Client(i)))
	if err != nil {
		c.t.Fatalf("dial: %v", err)
	}
	c.clients = append(c.clients, client)
}

func (c *channel) close() {
	for _, client := range c.clients {
		if err := client.Close(); err != nil {
			c.t.Errorf("close a client: %v", err)
		}
	}
	if c.server != nil {
		if err := c.server.Close(); err != nil {
			c.t.Errorf("close the server: %v", err)
		}
	}
	if err := c.link.Close(); err != nil {
		c.t.Errorf("close the link: %v", err)
	}
}

// serve runs the server until wait.
func (c *channel) serve(service ipc.Service) {
	go func() { c.served <- c.server.Serve(service) }()
}

// stop stops every client and waits for the server, which must have nothing to
// complain about.
func (c *channel) stop() {
	c.t.Helper()
	for i, client := range c.clients {
		var err error
		c.asClient(func() { err = client.Stop() })
		if err != nil {
			c.t.Fatalf("stop client %d: %v", i, err)
		}
	}
	if err := <-c.served; err != nil {
		c.t.Fatalf("serve: %v", err)
	}
}

// asClient runs f as the contract wants a client to be run.
func (c *channel) asClient(f func()) {
	if !c.s.Info().RuntimeSafe {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	f()
}

// buffer is memory to produce a request in.
func (c *channel) buffer(client ipc.Client, n int) *ipc.Buffer {
	c.t.Helper()
	b, err := client.Buffer(n)
	if err != nil {
		c.t.Fatalf("buffer of %d bytes: %v", n, err)
	}
	return b
}

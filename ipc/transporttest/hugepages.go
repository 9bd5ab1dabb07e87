package transporttest

import (
	"sync/atomic"
	"testing"

	"ipcbench/ipc"
)

// testHugePages: on a channel that is to have huge pages, requests and replies are
// produced on them, unless the transport lends the memory.
func testHugePages(t *testing.T, s Subject) {
	probe, err := ipc.NewHugeBuffer(1)
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Free()
	switch {
	case !probe.OnHugePages():
		t.Skip("the kernel gives no huge pages")
	case s.Info().InPlace:
		t.Skip("it lends memory")
	}
	cfg := config(s, 64)
	cfg.HugePages = true
	c := open(t, s, cfg)
	var huge, small atomic.Int32
	c.serve(service(func(thread ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
		reply, err := thread.Buffer(cfg.MaxReply)
		if err == nil && reply.OnHugePages() {
			huge.Add(1)
		} else {
			small.Add(1)
		}
		return func([]byte, bool) *ipc.Buffer { return reply }, err
	}))
	request := c.buffer(c.clients[0], cfg.MaxRequest)
	c.asClient(func() { _, err = c.clients[0].Call(request) })
	if err != nil {
		t.Fatal(err)
	}
	c.stop()
	if !request.OnHugePages() || huge.Load() == 0 || small.Load() > 0 {
		t.Errorf("requests on huge pages: %v; replies: %d, and %d on small ones", request.OnHugePages(), huge.Load(), small.Load())
	}
}

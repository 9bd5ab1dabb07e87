package transporttest

import (
	"math"
	"testing"

	"ipcbench/ipc"
)

// testHostile gives each end bytes that no peer of good will sends.
func testHostile(t *testing.T, s Subject) {
	if s.Inject == nil {
		t.Skip("the transport gives no way in")
	}
	const limit = 4096
	garbage := make([]byte, 1000)
	newContents(9).fill(garbage)
	for name, bytes := range map[string][]byte{
		"huge":    header(ipc.Header{Length: math.MaxUint32}),
		"above":   header(ipc.Header{Length: limit + 1}),
		"flags":   header(ipc.Header{Flags: 1 << 31}),
		"garbage": garbage,
	} {
		t.Run(name, func(t *testing.T) {
			c := create(t, s, config(s, limit))
			c.listen(config(s, limit))
			h := c.handover(c.link.Client(0))
			defer h.Close()
			c.inject(h, bytes)
			c.serve(echo(limit))
			c.expectServed(ipc.ErrProtocol)
		})
		t.Run(name+"-reply", func(t *testing.T) {
			c := create(t, s, config(s, limit))
			c.dial(config(s, limit), 0)
			h := c.handover(c.link.Server())
			defer h.Close()
			c.inject(h, bytes)
			c.expectCall(c.clients[0], 64, ipc.ErrProtocol)
		})
	}
	t.Run("truncated", func(t *testing.T) { truncated(t, s, limit) })
}

// truncated sends half a message and closes its end.
func truncated(t *testing.T, s Subject, limit int) {
	c := create(t, s, config(s, limit))
	c.listen(config(s, limit))
	h := c.handover(c.link.Client(0))
	c.inject(h, append(header(ipc.Header{Length: 1000}), "only this"...))
	h.Close()
	c.serve(service(func(ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
		return func([]byte, bool) *ipc.Buffer { panic("half a message was handed out") }, nil
	}))
	c.expectServed(ipc.ErrPeerGone)
}

func header(h ipc.Header) []byte {
	b := make([]byte, ipc.HeaderSize)
	h.Put(b)
	return b
}

func (c *channel) inject(h ipc.Handover, bytes []byte) {
	c.t.Helper()
	if err := c.s.Inject(h, bytes); err != nil {
		c.t.Fatalf("inject: %v", err)
	}
}

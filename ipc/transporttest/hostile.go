package transporttest

import (
	"math"
	"testing"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// hostileLimit is the largest payload of the channels that are attacked.
const hostileLimit = 4096

// testHostile gives each end bytes that no peer of good will sends.
func testHostile(t *testing.T, s Subject) {
	if s.Inject == nil {
		t.Skip("the transport gives no way in")
	}
	const limit = hostileLimit
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
			c.inject(h, copies.Request, bytes)
			c.serve(echo(limit))
			c.expectServed(ipc.ErrProtocol)
		})
		t.Run(name+"-reply", func(t *testing.T) {
			c := create(t, s, config(s, limit))
			c.dial(config(s, limit), 0)
			h := c.handover(c.link.Server())
			defer h.Close()
			c.inject(h, copies.Reply, bytes)
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
	c.inject(h, copies.Request, append(header(ipc.Header{Length: 1000}), "only this"...))
	h.Close()
	c.serve(neverAsked)
	c.expectServed(ipc.ErrPeerGone)
}

func header(h ipc.Header) []byte {
	b := make([]byte, ipc.HeaderSize)
	h.Put(b)
	return b
}

func (c *channel) inject(h ipc.Handover, d copies.Direction, bytes []byte) {
	c.t.Helper()
	if err := c.s.Inject(config(c.s, hostileLimit), h, d, bytes); err != nil {
		c.t.Fatalf("inject: %v", err)
	}
}

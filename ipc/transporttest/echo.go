package transporttest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"ipcbench/ipc"
)

// sizes around the borders that transports have: none, a cache line, a page, a
// pipe's default, and what does not fit into any queue at once.
var sizes = []int{0, 1, 63, 64, 65, 4095, 4096, 4097, 64 << 10, 64<<10 + 1, 1 << 20, 4 << 20}

const largest = 4 << 20

func testEcho(t *testing.T, s Subject) {
	for _, wait := range s.Info().Waits {
		t.Run(wait.String(), func(t *testing.T) {
			cfg := config(s, largest)
			cfg.Wait = wait
			c := open(t, s, cfg)
			c.serve(echo(largest))
			r := newContents(1)
			request := c.buffer(c.clients[0], largest)
			for _, n := range sizes {
				request.Resize(n)
				r.fill(request.Bytes())
				c.call(c.clients[0], request)
			}
			c.stop()
		})
	}
}

// call calls and expects the request back.
func (c *channel) call(client ipc.Client, request *ipc.Buffer) {
	c.t.Helper()
	if err := c.tryCall(client, request); err != nil {
		c.t.Fatal(err)
	}
}

func (c *channel) tryCall(client ipc.Client, request *ipc.Buffer) (err error) {
	c.asClient(func() {
		var reply []byte
		reply, err = client.Call(request)
		if err == nil && !bytes.Equal(reply, request.Bytes()) {
			err = fmt.Errorf("the reply to %d bytes differs from them", request.Len())
		}
	})
	return err
}

// contents makes bytes that no two messages share.
type contents struct{ *rand.ChaCha8 }

func newContents(seed byte) contents { return contents{rand.NewChaCha8([32]byte{seed})} }

func (r contents) fill(p []byte) { r.Read(p) }

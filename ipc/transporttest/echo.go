package transporttest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"ipcbench/ipc"
)

// sizes around the borders that transports have: none, a cache line, a page, a
// pipe's default, and what fits into no queue at once.
var sizes = []int{0, 1, 63, 64, 65, 4095, 4096, 4097, 64 << 10, 64<<10 + 1, 1 << 20}

const defaultLargest = 4 << 20

func (s Subject) largest() int {
	if s.Largest > 0 {
		return s.Largest
	}
	return defaultLargest
}

func (s Subject) sizes() []int { return append(slices.Clone(sizes), s.largest()) }

// testEcho expects every byte of every size back, with each wait.
func testEcho(t *testing.T, s Subject) {
	for _, wait := range s.Info().Waits {
		t.Run(wait.String(), func(t *testing.T) {
			cfg := config(s, s.largest())
			cfg.Wait = wait
			c := open(t, s, cfg)
			c.serve(echo(s.largest()))
			c.echo(c.clients[0], newContents(1), s.sizes())
			c.stop()
		})
	}
}

// testOrder expects odd sizes in a row to stay apart and in order.
func testOrder(t *testing.T, s Subject) {
	const limit = 20000
	c := open(t, s, config(s, limit))
	c.serve(echo(limit))
	odd := make([]int, 300)
	for i := range odd {
		odd[i] = i * i * i % limit
	}
	c.echo(c.clients[0], newContents(2), odd)
	c.stop()
}

// testServeAgain expects a server that every client has stopped to serve again.
func testServeAgain(t *testing.T, s Subject) {
	c := open(t, s, config(s, 4096))
	for range 3 {
		c.serve(echo(4096))
		c.echo(c.clients[0], newContents(3), []int{4096, 1})
		c.stop()
	}
}

// testClients expects clients at once to get each its own replies.
func testClients(t *testing.T, s Subject) {
	const clients, limit = 8, 70000
	cfg := config(s, limit)
	cfg.Clients = clients
	c := open(t, s, cfg)
	c.serve(echo(limit))
	var calling sync.WaitGroup
	for i, client := range c.clients {
		calling.Go(func() {
			mixed := make([]int, 30)
			for k := range mixed {
				mixed[k] = (i + 1) * (k + 1) * 7919 % limit
			}
			c.echo(client, newContents(byte(10+i)), mixed)
		})
	}
	calling.Wait()
	c.stop()
}

// testTooLarge expects what exceeds the channel's limit to be refused before it
// does harm.
func testTooLarge(t *testing.T, s Subject) {
	cfg := config(s, 1000)
	c := open(t, s, cfg)
	c.serve(echo(1000))
	request := c.buffer(c.clients[0], 1001)
	if err := c.tryCall(c.clients[0], request); !errors.Is(err, ipc.ErrTooLarge) {
		t.Errorf("call with 1001 bytes of 1000: %v", err)
	}
	c.echo(c.clients[0], newContents(4), []int{1000})
	c.stop()

	cfg.MaxRequest = ipc.MaxPayload + 1
	if err := s.Check(cfg); !errors.Is(err, ipc.ErrTooLarge) {
		t.Errorf("check of %d bytes: %v", cfg.MaxRequest, err)
	}
	if _, err := s.Create(cfg); !errors.Is(err, ipc.ErrTooLarge) {
		t.Errorf("create of %d bytes: %v", cfg.MaxRequest, err)
	}
}

// echo calls with contents of each size and expects them back.
func (c *channel) echo(client ipc.Client, r contents, sizes []int) {
	c.t.Helper()
	request, err := client.Buffer(c.s.largest())
	if err != nil {
		c.t.Errorf("buffer: %v", err)
		return
	}
	for _, n := range sizes {
		request.Resize(n)
		r.fill(request.Bytes())
		if err := c.tryCall(client, request); err != nil {
			c.t.Errorf("call with %d bytes: %v", n, err)
			return
		}
	}
}

// tryCall calls and expects the request back.
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

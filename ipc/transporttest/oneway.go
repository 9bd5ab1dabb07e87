package transporttest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"

	"ipcbench/ipc"
)

// testOneWay sends bursts that nobody answers, and expects the call at the end
// of each to find all of them handled, in order and whole.
func testOneWay(t *testing.T, s Subject) {
	const limit, burst = 9000, 64
	c := open(t, s, config(s, limit))
	c.serve(checking(limit, newContents(5)))
	client, r := c.clients[0], newContents(5)
	request := c.buffer(client, limit)
	handled := uint64(0)
	for round := range 6 {
		for i := range burst {
			request.Resize(burstSize(round, i, limit))
			r.fill(request.Bytes())
			var err error
			c.asClient(func() { err = client.Send(request) })
			if err != nil {
				t.Fatalf("send %d bytes: %v", request.Len(), err)
			}
			handled++
		}
		request.Resize(64)
		r.fill(request.Bytes())
		handled++
		c.expectCount(client, request, handled)
	}
	c.stop()
}

// burstSize makes bursts of small messages, of large ones, and of both.
func burstSize(round, i, limit int) int {
	switch round % 3 {
	case 0:
		return 64
	case 1:
		return limit
	}
	return i * i * 31 % limit
}

func (c *channel) expectCount(client ipc.Client, request *ipc.Buffer, want uint64) {
	c.t.Helper()
	var reply []byte
	var err error
	c.asClient(func() { reply, err = client.Call(request) })
	if err != nil {
		c.t.Fatalf("acknowledging call: %v", err)
	}
	if got := binary.LittleEndian.Uint64(reply); got != want {
		c.t.Fatalf("%d messages handled of %d", got, want)
	}
}

// checking answers with how many messages have arrived, and panics when one is
// not what the same contents make it. The threads of a pool count together.
func checking(limit int, r contents) ipc.Service {
	var mu sync.Mutex
	want, handled := make([]byte, limit), uint64(0)
	return service(func(t ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
		reply, err := t.Buffer(8)
		return func(request []byte, oneway bool) *ipc.Buffer {
			mu.Lock()
			defer mu.Unlock()
			handled++
			r.fill(want[:len(request)])
			if !bytes.Equal(request, want[:len(request)]) {
				panic(fmt.Sprintf("message %d of %d bytes arrived changed", handled, len(request)))
			}
			if oneway {
				return nil
			}
			binary.LittleEndian.PutUint64(reply.Bytes(), handled)
			return reply
		}, err
	})
}

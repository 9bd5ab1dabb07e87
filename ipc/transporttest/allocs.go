package transporttest

import (
	"encoding/binary"
	"testing"

	"ipcbench/ipc"
)

// testAllocs expects calls, sends and the serving of them to allocate nothing.
// The server is a child, so that this process has nobody blocked in the kernel
// when the counting stops the world.
func testAllocs(t *testing.T, s Subject) {
	// A server with a pool of threads has started those that it needs by then.
	const runs, warmUp = 300, 1000
	cfg := config(s, 70000)
	c, peer := serveAside(t, s, cfg, "serve")
	peer.awaitReady(t)
	client := c.clients[0]
	probe := c.buffer(client, countMallocs)
	for _, n := range []int{64, 70000} {
		request := c.buffer(client, n)
		c.asClient(func() {
			call := func() {
				if _, err := client.Call(request); err != nil {
					t.Fatal(err)
				}
			}
			for range warmUp {
				call()
			}
			if got := testing.AllocsPerRun(runs, call); got != 0 {
				t.Errorf("a call with %d bytes allocates %v objects in the client", n, got)
			}
			// One count may cost the runtime objects of its own: hence the margin
			// below one object in ten calls. A pool may grow meanwhile, once for
			// each of its threads: hence the other tries.
			got := served(t, client, probe, runs, call)
			for range s.Info().PoolThreads + 1 {
				if got <= runs/10 {
					break
				}
				got = served(t, client, probe, runs, call)
			}
			if got > runs/10 {
				t.Errorf("%d calls with %d bytes allocate %d objects in the server", runs, n, got)
			}
		})
	}
	c.asClient(func() {
		if err := client.Stop(); err != nil {
			t.Fatal(err)
		}
	})
}

// served is how many objects the server allocates during a number of calls.
func served(t *testing.T, client ipc.Client, probe *ipc.Buffer, calls int, call func()) uint64 {
	mallocs(t, client, probe)
	before := mallocs(t, client, probe)
	for range calls {
		call()
	}
	return mallocs(t, client, probe) - before
}

// mallocs asks the server how many objects it has allocated.
func mallocs(t *testing.T, client ipc.Client, probe *ipc.Buffer) uint64 {
	reply, err := client.Call(probe)
	if err != nil {
		t.Fatal(err)
	}
	return binary.LittleEndian.Uint64(reply)
}

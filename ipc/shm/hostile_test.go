package shm

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
	"ipcbench/ipc/transporttest"
)

// TestScribblingPeer serves a peer that changes the shared words all the time,
// also while they are being looked at, and goes on when it has hung up.
func TestScribblingPeer(t *testing.T) {
	each(t, func(t *testing.T, tr ipc.Transport, w ipc.Wait) {
		cfg := ipc.Config{MaxRequest: 4096, MaxReply: 4096, Clients: 1, Wait: w}
		for seed := range uint64(6) {
			scribble(t, tr.(*transport), cfg, seed)
		}
	})
}

func scribble(t *testing.T, tr *transport, cfg ipc.Config, seed uint64) {
	server, h := transporttest.Listen(t, tr, cfg)
	peer, err := tr.attach(cfg, h, copies.Request)
	if err != nil {
		t.Fatal(err)
	}
	var enough atomic.Bool
	over := make(chan struct{})
	go func() {
		defer close(over)
		peer.scribble(rand.New(rand.NewPCG(seed, 0)), &enough)
	}()
	done := serve(server, &reverser{size: 4096})
	time.Sleep(time.Millisecond)
	h.Close()
	select {
	case err := <-done:
		if err != nil && !errors.Is(err, ipc.ErrProtocol) && !errors.Is(err, ipc.ErrPeerGone) { // nil: it happened to say stop
			t.Errorf("serve: %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("a peer that has hung up keeps the server busy")
	}
	enough.Store(true)
	<-over
	peer.segment.detach()
}

// scribble writes what is likely to be taken for something.
func (c *channel) scribble(r *rand.Rand, enough *atomic.Bool) {
	for !enough.Load() {
		l := c.out.lane
		if r.IntN(4) == 0 {
			l = c.in.lane
		}
		word := l.word([]int{releasedAt, publishedAt, publishedAt, startAt, doneAt, pidAt, entriesAt, entriesAt + 4,
			entriesAt + placeAt, entriesAt + placeAt + 4}[r.IntN(10)])
		word.Store([]uint32{0, 1, 2, 3, 4, 64, 128, 130, 4096, 4097, 1 << 31, ^uint32(0), word.Load() + step,
			word.Load() | sleeping, uint32(os.Getpid()), r.Uint32()}[r.IntN(16)])
		if r.IntN(8) == 0 {
			sys.FutexWake(word, 1)
			c.out.published.raise(c.out.published.peek() + step)
		}
	}
}

// TestHostilePlaces names payloads that are nowhere.
func TestHostilePlaces(t *testing.T) {
	for _, name := range []string{"cma", "shm-inplace"} {
		for _, place := range []uint64{1, 1 << 40, 1<<63 - 1, ^uint64(0), ^uint64(0) - 99} {
			if name == "shm-inplace" && place == 1 {
				continue // that is somewhere
			}
			attackWith(t, named(name), func(c *channel) { c.out.publish(0, ipc.Header{Length: 100}, place, 0) })
		}
	}
	for _, pid := range []int32{0, -1, -1 << 31} {
		attackWith(t, named("cma"), func(c *channel) {
			binary.LittleEndian.PutUint32(c.out.control[pidAt:], uint32(pid))
			c.out.publish(0, ipc.Header{Length: 100}, 4096, 0)
		})
	}
}

// attackWith expects ErrProtocol of a server whose peer does something.
func attackWith(t *testing.T, tr *transport, do func(*channel)) {
	t.Helper()
	if err := tr.Check(ipc.Config{Clients: 1}); errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	cfg := ipc.Config{MaxRequest: 4096, MaxReply: 4096, Clients: 1}
	server, h := transporttest.Listen(t, tr, cfg)
	defer h.Close()
	peer, err := tr.attach(cfg, h, copies.Request)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.segment.detach()
	do(peer)
	if err := server.Serve(&reverser{size: 4096}); !errors.Is(err, ipc.ErrProtocol) {
		t.Errorf("%s: serve: %v", tr.info.Name, err)
	}
}

// TestDiesBeforeWaking publishes a message and dies before it wakes whom it is for:
// what was published counts.
func TestDiesBeforeWaking(t *testing.T) {
	each(t, func(t *testing.T, tr ipc.Transport, w ipc.Wait) {
		cfg := ipc.Config{MaxRequest: 4096, MaxReply: 4096, Clients: 1, Wait: w}
		server, h := transporttest.Listen(t, tr, cfg)
		peer, err := tr.(*transport).attach(cfg, h, copies.Request)
		if err != nil {
			t.Fatal(err)
		}
		defer peer.segment.detach()
		service := &reverser{size: 4096}
		done := serve(server, service)
		time.Sleep(2 * time.Millisecond) // for it to sleep; the outcome is the same without
		peer.out.published = mute{peer.out.published, peer.out.word(publishedAt)}
		peer.out.publish(0, ipc.Header{Flags: ipc.OneWay}, 0, 0)
		h.Close() // the lifeline breaks, as it does when a process dies
		select {
		case err := <-done:
			if !errors.Is(err, ipc.ErrPeerGone) || service.oneway != 1 {
				t.Errorf("%d messages of 1, then %v", service.oneway, err)
			}
		case <-time.After(5 * time.Second):
			t.Error("the server sleeps on")
		}
	})
}

// mute is a signal that wakes nobody.
type mute struct {
	signal
	word *atomic.Uint32
}

func (m mute) raise(position uint32) { m.word.Store(position) }

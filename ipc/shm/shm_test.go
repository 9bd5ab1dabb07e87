package shm

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
	"ipcbench/ipc/transporttest"
)

// bothEnds opens a channel and both its ends in this process.
func bothEnds(t testing.TB, tr ipc.Transport, cfg ipc.Config) (ipc.Server, ipc.Client) {
	t.Helper()
	if err := tr.Check(cfg); err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	link, err := tr.Create(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sh, err := link.Server()
	if err != nil {
		t.Fatal(err)
	}
	ch, err := link.Client(0)
	if err != nil {
		t.Fatal(err)
	}
	server, err := tr.Listen(cfg, sh)
	if err != nil {
		t.Fatal(err)
	}
	client, err := tr.Dial(cfg, ch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
		if err := link.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, client
}

// reverser answers a request with its bytes in reverse, and counts one-way ones.
type reverser struct {
	size   int
	oneway int
	last   byte
}

func (r *reverser) NewHandler(th ipc.Thread) (ipc.Handler, error) {
	b, err := th.Buffer(r.size)
	return &reverserThread{r, b}, err
}

type reverserThread struct {
	*reverser
	reply *ipc.Buffer
}

func (r *reverserThread) Done() {}

func (r *reverserThread) Handle(request []byte, oneway bool) *ipc.Buffer {
	if oneway {
		r.oneway++
		if len(request) > 0 {
			r.last = request[len(request)-1]
		}
		return nil
	}
	r.reply.Resize(len(request))
	out := r.reply.Bytes()
	for i, b := range request {
		out[len(out)-1-i] = b
	}
	return r.reply
}

func fill(b []byte, seed int) {
	for i := range b {
		b[i] = byte(i*7 + i>>8 + seed)
	}
}

func serve(s ipc.Server, service ipc.Service) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.Serve(service) }()
	return done
}

func each(t *testing.T, f func(t *testing.T, tr ipc.Transport, w ipc.Wait)) {
	for _, tr := range Transports() {
		for _, w := range tr.Info().Waits {
			t.Run(tr.Info().Name+"/"+w.String(), func(t *testing.T) { f(t, tr, w) })
		}
	}
}

func TestEchoThenBurstThenStop(t *testing.T) {
	each(t, func(t *testing.T, tr ipc.Transport, w ipc.Wait) {
		for _, limit := range []int{0, 64, 5000, 300 << 10} {
			server, client := bothEnds(t, tr, ipc.Config{MaxRequest: limit, MaxReply: limit, Clients: 1, Wait: w})
			svc := &reverser{size: limit}
			done := serve(server, svc)
			b, err := client.Buffer(limit)
			if err != nil {
				t.Fatal(err)
			}
			for i, n := range []int{limit, 0, limit / 2, limit} {
				b.Resize(n)
				fill(b.Bytes(), i)
				want := bytes.Clone(b.Bytes())
				got, err := client.Call(b)
				if err != nil {
					t.Fatal(err)
				}
				for i := range want {
					if want[i] != got[len(got)-1-i] {
						t.Fatalf("%d bytes: byte %d differs", n, i)
					}
				}
				if !bytes.Equal(b.Bytes(), want) {
					t.Fatal("the request changed")
				}
			}
			const burst = 100
			for i := range burst {
				fill(b.Bytes(), i)
				if err := client.Send(b); err != nil {
					t.Fatal(err)
				}
			}
			if err := client.Stop(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if svc.oneway != burst {
				t.Fatalf("%d of %d one-way requests arrived", svc.oneway, burst)
			}
			if limit > 0 && svc.last != b.Bytes()[limit-1] {
				t.Fatal("the last one-way request was another")
			}
			if err := errors.Join(client.Close(), server.Close()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestCloseEndsBlockedOperations(t *testing.T) {
	each(t, func(t *testing.T, tr ipc.Transport, w ipc.Wait) {
		for range 20 {
			server, client := bothEnds(t, tr, ipc.Config{MaxRequest: 64, MaxReply: 64, Clients: 1, Wait: w})
			done := serve(server, &reverser{size: 64})
			server.Close()
			if err := <-done; !errors.Is(err, ipc.ErrClosed) {
				t.Fatalf("Serve after Close: %v", err)
			}
			b, err := client.Buffer(64)
			if err != nil {
				t.Fatal(err)
			}
			for err == nil {
				_, err = client.Call(b)
			}
			if !errors.Is(err, ipc.ErrPeerGone) {
				t.Fatalf("Call of a closed server: %v", err)
			}
			client.Close()
			if _, err := client.Call(b); !errors.Is(err, ipc.ErrClosed) {
				t.Fatalf("Call after Close: %v", err)
			}
		}
	})
}

// TestFullRing blocks a sender by a server that does not serve, and closes.
func TestFullRing(t *testing.T) {
	each(t, func(t *testing.T, tr ipc.Transport, w ipc.Wait) {
		for _, who := range []string{"client", "server"} {
			server, client := bothEnds(t, tr, ipc.Config{MaxRequest: 64, MaxReply: 64, Clients: 1, Wait: w})
			b, err := client.Buffer(64)
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				for {
					if err := client.Send(b); err != nil {
						done <- err
						return
					}
				}
			}()
			time.Sleep(time.Millisecond) // any moment is right
			want := ipc.ErrClosed
			if who == "server" {
				server.Close()
				want = ipc.ErrPeerGone
			} else {
				client.Close()
			}
			if err := <-done; !errors.Is(err, want) {
				t.Fatalf("%s closed: %v", who, err)
			}
		}
	})
}

func TestHostilePeer(t *testing.T) {
	for name, write := range map[string]func(lane){
		"position": func(l lane) { l.word(publishedAt).Store(1 << 20) },
		"length": func(l lane) {
			ipc.Header{Length: 1 << 30}.Put(l.entry(0))
			l.word(publishedAt).Store(step)
		},
		"flags": func(l lane) {
			ipc.Header{Flags: 1 << 30}.Put(l.entry(0))
			l.word(publishedAt).Store(step)
		},
		"done": func(l lane) {
			l.word(doneAt).Store(1 << 20)
			l.word(publishedAt).Store(step)
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := named("shm")
			cfg := ipc.Config{MaxRequest: 4096, MaxReply: 4096, Clients: 1, Wait: ipc.Block}
			server, h := transporttest.Listen(t, tr, cfg)
			defer h.Close()
			peer, err := tr.attach(cfg, h, copies.Request)
			if err != nil {
				t.Fatal(err)
			}
			defer peer.segment.detach()
			requests := peer.out.lane
			done := serve(server, &reverser{size: 4096})
			write(requests)
			wakeAll(requests)
			if err := <-done; !errors.Is(err, ipc.ErrProtocol) {
				t.Fatalf("Serve: %v", err)
			}
		})
	}
}

// wakeAll wakes like a peer that never took the sleeper's bit.
func wakeAll(l lane) { sys.FutexWake(l.word(publishedAt), 1) }

package mq

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
	"ipcbench/ipc/transporttest"
)

var subjects = []transporttest.Subject{newSubject(0), newSubject(1)}

// newSubject is one of the transports.
func newSubject(i int) transporttest.Subject {
	tr := Transports()[i].(*transport)
	return transporttest.Subject{
		Transport: tr, Copies: 2, Syscalls: 4,
		Inject: func(_ ipc.Config, h ipc.Handover, d copies.Direction, bytes []byte) error {
			for fragment := range slices.Chunk(bytes, int(parseIdentity(h.Data).Records[d])) {
				if err := send(tr, h, d, fragment); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func TestMain(m *testing.M) { transporttest.Main(m, subjects...) }

func TestConformance(t *testing.T) { transporttest.Run(t, subjects...) }

func BenchmarkCall(b *testing.B) { transporttest.Benchmark(b, subjects...) }

// send puts a fragment into a queue of a handover.
func send(tr *transport, h ipc.Handover, d copies.Direction, fragment []byte) error {
	var q queue = sysvQueue{int(parseIdentity(h.Data).Queues[d])}
	if tr.files > 1 {
		q = &posixQueue{fd: int(h.Files[1+d].Fd())}
	}
	frame := append(make([]byte, q.front()), fragment...)
	err := q.send(frame, false)
	for err == unix.EAGAIN { // a POSIX queue's send waits for a while only
		err = q.send(frame, false)
	}
	return err
}

// counter counts messages.
type counter struct{ handled int }

func (c *counter) NewHandler(ipc.Thread) (ipc.Handler, error) { return c, nil }
func (c *counter) Done()                                      {}
func (c *counter) Handle([]byte, bool) *ipc.Buffer {
	c.handled++
	return nil
}

// TestHostileFragments sends fragments that are no message.
func TestHostileFragments(t *testing.T) {
	header := func(length int, rest ...byte) []byte {
		b := binary.LittleEndian.AppendUint32(nil, uint32(length))
		return append(append(b, make([]byte, ipc.HeaderSize-4)...), rest...)
	}
	for name, fragments := range map[string][][]byte{
		"empty":        {{}},
		"short header": {make([]byte, ipc.HeaderSize-1)},
		"beyond":       {header(3, 1, 2, 3, 4)},
		"beyond later": {header(100), make([]byte, 60), make([]byte, 41)},
		"empty later":  {header(100), {}},
	} {
		for _, tr := range Transports() {
			t.Run(tr.Info().Name+"/"+name, func(t *testing.T) {
				server, h := transporttest.Listen(t, tr, ipc.Config{MaxRequest: 4096, MaxReply: 64, Clients: 1})
				defer h.Close()
				for _, fragment := range fragments {
					if err := send(tr.(*transport), h, copies.Request, fragment); err != nil {
						t.Fatal(err)
					}
				}
				if err := server.Serve(new(counter)); !errors.Is(err, ipc.ErrProtocol) {
					t.Errorf("serve: %v", err)
				}
			})
		}
	}
}

// TestCloseLeavesWhatWasSent reads after its sender has closed.
func TestCloseLeavesWhatWasSent(t *testing.T) {
	for _, tr := range Transports() {
		t.Run(tr.Info().Name, func(t *testing.T) {
			cfg := ipc.Config{MaxRequest: 64, MaxReply: 64, Clients: 1}
			server, h := transporttest.Listen(t, tr, cfg)
			client, err := tr.Dial(cfg, h)
			if err != nil {
				t.Fatal(err)
			}
			request, err := client.Buffer(64)
			if err != nil {
				t.Fatal(err)
			}
			const sent = 3
			for range sent {
				if err := client.Send(request); err != nil {
					t.Fatal(err)
				}
			}
			if err := client.Close(); err != nil {
				t.Fatal(err)
			}
			service := new(counter)
			if err := server.Serve(service); !errors.Is(err, ipc.ErrPeerGone) || service.handled != sent {
				t.Errorf("%d of %d messages, then %v", service.handled, sent, err)
			}
		})
	}
}

// TestCloseTearsNoHole closes a client in the middle of a message while the server
// reads: it must see the peer go, and never a message made of what is left.
func TestCloseTearsNoHole(t *testing.T) {
	for _, tr := range Transports() {
		t.Run(tr.Info().Name, func(t *testing.T) {
			for i := range 30 {
				cfg := ipc.Config{MaxRequest: 1 << 20, MaxReply: 64, Clients: 1}
				server, h := transporttest.Listen(t, tr, cfg)
				client, err := tr.Dial(cfg, h)
				if err != nil {
					t.Fatal(err)
				}
				request, err := client.Buffer(cfg.MaxRequest)
				if err != nil {
					t.Fatal(err)
				}
				sent := make(chan error, 1)
				go func() {
					var err error
					for err == nil {
						err = client.Send(request)
					}
					sent <- err
				}()
				served := make(chan error, 1)
				go func() { served <- server.Serve(new(counter)) }()
				time.Sleep(time.Duration(i) * 50 * time.Microsecond) // any moment is right
				client.Close()
				if err := <-sent; !errors.Is(err, ipc.ErrClosed) {
					t.Errorf("send: %v", err)
				}
				if err := <-served; !errors.Is(err, ipc.ErrPeerGone) {
					t.Errorf("serve: %v", err)
				}
			}
		})
	}
}

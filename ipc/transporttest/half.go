package transporttest

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// testKilledInMessage kills a peer that has sent half of a message: of a request, or
// of the reply to a request that it has read. The larger message's half is more
// than a pipe or a queue holds, so that the survivor has begun to receive it.
func testKilledInMessage(t *testing.T, s Subject) {
	if s.Inject == nil {
		t.Skip("the transport gives no way in")
	}
	for _, size := range []int{1000, s.largest()} {
		cfg := config(s, size)
		t.Run(fmt.Sprintf("request-%d", size), func(t *testing.T) {
			c := create(t, s, cfg)
			c.listen(cfg)
			peer := start(t, s, cfg, "ask-half", c.handover(c.link.Client(0)))
			c.serve(neverAsked)
			peer.awaitReady(t)
			peer.kill()
			c.expectServed(ipc.ErrPeerGone)
		})
		t.Run(fmt.Sprintf("reply-%d", size), func(t *testing.T) {
			c, peer := serveAside(t, s, cfg, "answer-half")
			called := c.callAside(c.clients[0], size)
			peer.awaitReady(t)
			peer.kill()
			c.expect("call", called, ipc.ErrPeerGone)
		})
	}
}

// neverAsked is for requests that are not whole.
var neverAsked = service(func(ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
	return func([]byte, bool) *ipc.Buffer { panic("half a message was handed out") }, nil
})

// askHalf sends half of the largest request and waits for its end.
func askHalf(s Subject, cfg ipc.Config, h ipc.Handover, p *parent) error {
	if err := s.Inject(cfg, h, copies.Request, half(cfg.MaxRequest)); err != nil {
		return err
	}
	p.ready()
	_, err := p.hear() // for ever: the parent says nothing
	return err
}

// answerHalf serves until it has read a request, sends half of the largest reply
// and waits for its end.
func answerHalf(s Subject, cfg ipc.Config, h ipc.Handover, p *parent) error {
	again, err := duplicate(h)
	if err != nil {
		return err
	}
	server, err := s.Listen(cfg, h)
	if err != nil {
		return err
	}
	return server.Serve(service(func(ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
		return func([]byte, bool) *ipc.Buffer {
			if err := s.Inject(cfg, again, copies.Reply, half(cfg.MaxReply)); err != nil {
				panic(err)
			}
			p.ready()
			select {}
		}, nil
	}))
}

// half is the first message of a direction, of n bytes, as far as its middle.
func half(n int) []byte {
	return append(header(ipc.Header{Length: uint32(n), Sequence: 1}), make([]byte, n/2)...)
}

// duplicate is the same end once more.
func duplicate(h ipc.Handover) (ipc.Handover, error) {
	again := ipc.Handover{Data: h.Data}
	for _, f := range h.Files {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return again, fmt.Errorf("duplicate a descriptor: %w", err)
		}
		again.Files = append(again.Files, os.NewFile(uintptr(fd), "duplicate"))
	}
	return again, nil
}

package transporttest

import (
	"encoding/binary"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
)

// serveCounted serves echo, but answers countMallocs with the number of objects
// that the process has allocated.
func serveCounted(s Subject, cfg ipc.Config, h ipc.Handover, p *parent) error {
	server, err := s.Listen(cfg, h)
	if err != nil {
		return err
	}
	defer server.Close()
	return server.Serve(service(func(t ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
		reply, err := t.Buffer(cfg.MaxReply)
		stats := new(runtime.MemStats)
		p.ready()
		return func(request []byte, _ bool) *ipc.Buffer {
			if len(request) == countMallocs {
				runtime.ReadMemStats(stats)
				reply.Resize(8)
				binary.LittleEndian.PutUint64(reply.Bytes(), stats.Mallocs)
				return reply
			}
			reply.Resize(len(request))
			copy(reply.Bytes(), request)
			return reply
		}, err
	}))
}

// countMallocs is the size of the request that asks for the count.
const countMallocs = 1

// serveAndHang gets a request and never answers.
func serveAndHang(s Subject, cfg ipc.Config, h ipc.Handover, p *parent) error {
	server, err := s.Listen(cfg, h)
	if err != nil {
		return err
	}
	return server.Serve(service(func(ipc.Thread) (func([]byte, bool) *ipc.Buffer, error) {
		return func([]byte, bool) *ipc.Buffer {
			p.ready()
			select {}
		}, nil
	}))
}

// callAndIdle makes one call and then nothing.
func callAndIdle(s Subject, cfg ipc.Config, h ipc.Handover, p *parent) error {
	client, request, err := dial(s, cfg, h)
	if err != nil {
		return err
	}
	if _, err := client.Call(request); err != nil {
		return err
	}
	p.ready()
	_, err = p.hear() // for ever: the parent says nothing
	return err
}

// callOnce says which thread it is, and calls with the largest request.
func callOnce(s Subject, cfg ipc.Config, h ipc.Handover, p *parent) error {
	client, request, err := dial(s, cfg, h)
	if err != nil {
		return err
	}
	p.say(fmt.Sprintf("calling %d", unix.Gettid()))
	_, err = client.Call(request)
	return err
}

func dial(s Subject, cfg ipc.Config, h ipc.Handover) (ipc.Client, *ipc.Buffer, error) {
	client, err := s.Dial(cfg, h)
	if err != nil {
		return nil, nil, err
	}
	request, err := client.Buffer(cfg.MaxRequest)
	return client, request, err
}

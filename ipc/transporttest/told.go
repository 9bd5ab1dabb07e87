package transporttest

import (
	"encoding/json"
	"os"
	"runtime"

	"ipcbench/ipc"
)

// The roles of this file act when they are told to, or are killed.

// offer is a handover, in the descriptors of the process that offers it.
type offer struct {
	Descriptors []int
	Data        []byte
}

func newOffer(h ipc.Handover) (o offer) {
	o.Data = h.Data
	for _, f := range h.Files {
		o.Descriptors = append(o.Descriptors, int(f.Fd()))
	}
	return o
}

// createAndOffer creates a channel, offers its ends to the parent, which takes
// them out of this process, and keeps the link until it is told to close it.
func createAndOffer(s Subject, cfg ipc.Config, _ ipc.Handover, p *parent) error {
	link, err := s.Create(cfg)
	if err != nil {
		return err
	}
	server, err := link.Server()
	if err != nil {
		return err
	}
	client, err := link.Client(0)
	if err != nil {
		return err
	}
	offers, err := json.Marshal([]offer{newOffer(server), newOffer(client)})
	if err != nil {
		return err
	}
	p.say(string(offers))
	p.hear()
	server.Close()
	client.Close()
	return closeWhenTold(p, link.Close)
}

// serveTillTold serves echo.
func serveTillTold(s Subject, cfg ipc.Config, h ipc.Handover, p *parent) error {
	server, err := s.Listen(cfg, h)
	if err != nil {
		return closeWhenTold(p, func() error { return nil }) // the others may be gone by now
	}
	go func() {
		runtime.LockOSThread()
		server.Serve(echo(cfg.MaxReply))
	}()
	return closeWhenTold(p, server.Close)
}

// callTillTold sends bursts and calls.
func callTillTold(s Subject, cfg ipc.Config, h ipc.Handover, p *parent) error {
	client, request, err := dial(s, cfg, h)
	if err != nil {
		return closeWhenTold(p, func() error { return nil })
	}
	go func() {
		runtime.LockOSThread()
		for i := 1; err == nil; i++ {
			if i%4 > 0 {
				err = client.Send(request)
			} else {
				_, err = client.Call(request)
			}
		}
	}()
	return closeWhenTold(p, client.Close)
}

// sendSome sends messages that nobody answers: the first one may go straight to a
// receiver that waits, the others do not.
func sendSome(s Subject, cfg ipc.Config, h ipc.Handover, p *parent) error {
	client, request, err := dial(s, cfg, h)
	if err != nil {
		return err
	}
	go func() {
		runtime.LockOSThread()
		for range 3 {
			if client.Send(request) != nil {
				return
			}
		}
		p.say("sent")
	}()
	return closeWhenTold(p, client.Close)
}

// closeWhenTold says when it has closed, and lives on until the parent ends it.
func closeWhenTold(p *parent, close func() error) error {
	p.ready()
	p.hear()
	if err := close(); err != nil {
		return err
	}
	p.say("closed")
	p.hear()
	os.Exit(0) // whatever is still going on
	return nil
}

// Package ends is what transports have in common whose channel is a connection of
// two like ends for each client: handing the ends over, and taking them up.
package ends

import (
	"fmt"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// Ends says how the ends of a transport are taken up.
type Ends struct {
	// Name is the transport's, for errors.
	Name string
	// Files and Data are how many files and bytes of a handover are one
	// connection's.
	Files, Data int
	// Take takes up an end that sends messages of direction out. It owns the
	// end's files if it succeeds.
	Take func(cfg ipc.Config, end ipc.Handover, out copies.Direction) (ipc.Conn, error)
	// Abandon, if set, lets go of what has no descriptor, of an end that will
	// not be taken up: nobody else may be left to do so.
	Abandon func(end ipc.Handover)
	// RuntimeSafe is the transport's; see ipc.Info.
	RuntimeSafe bool
}

// Listen is that of ipc.Transport.
func (e Ends) Listen(cfg ipc.Config, h ipc.Handover) (ipc.Server, error) {
	conns, err := e.takeAll(cfg, h, cfg.Clients, copies.Reply)
	if err != nil {
		return nil, err
	}
	return ipc.NewServer(conns, !e.RuntimeSafe), nil
}

// Dial is that of ipc.Transport.
func (e Ends) Dial(cfg ipc.Config, h ipc.Handover) (ipc.Client, error) {
	conns, err := e.takeAll(cfg, h, 1, copies.Request)
	if err != nil {
		return nil, err
	}
	return ipc.NewClient(conns[0]), nil
}

// takeAll takes up n ends, or none.
func (e Ends) takeAll(cfg ipc.Config, h ipc.Handover, n int, out copies.Direction) ([]ipc.Conn, error) {
	if len(h.Files) != n*e.Files || len(h.Data) != n*e.Data {
		h.Close()
		return nil, fmt.Errorf("%s: a handover of %d files and %d bytes for %d connections", e.Name, len(h.Files), len(h.Data), n)
	}
	var conns []ipc.Conn
	for i := range n {
		c, err := e.Take(cfg, e.end(h, i), out)
		if err != nil {
			for _, c := range conns {
				c.Close()
			}
			for ; i < n; i++ {
				e.abandon(e.end(h, i))
			}
			return nil, fmt.Errorf("%s: %w", e.Name, err)
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// end is the part of a handover that belongs to connection i.
func (e Ends) end(h ipc.Handover, i int) ipc.Handover {
	return ipc.Handover{Files: h.Files[i*e.Files:][:e.Files], Data: h.Data[i*e.Data:][:e.Data]}
}

func (e Ends) abandon(end ipc.Handover) {
	end.Close()
	if e.Abandon != nil {
		e.Abandon(end)
	}
}

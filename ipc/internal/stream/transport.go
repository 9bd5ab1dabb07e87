package stream

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// Kind is what tells one transport over descriptors from another.
type Kind struct {
	Info  ipc.Info
	Sites Sites
	// Pair makes and tunes the two ends of one client's channel.
	Pair func(ipc.Config) (Pair, error)
	// Files is how many files an end has.
	Files int
	// Open makes an End of the files of one side of a Pair and owns them, also
	// when it fails.
	Open func([]*os.File, Setting) (End, error)
	// Record, if not zero, is the most bytes that one write takes, where a read
	// ends at the end of a write.
	Record int
}

// Pair is the two ends of one client's channel.
type Pair struct {
	Server, Client []*os.File
	// Notes say how it was tuned.
	Notes []string
}

// Setting is what an End needs to know of its connection.
type Setting struct {
	Wait   ipc.Wait
	Ledger *copies.Ledger
}

// New makes a transport of a kind.
func New(k Kind) ipc.Transport { return &transport{k} }

type transport struct{ Kind }

func (t *transport) Info() ipc.Info { return t.Kind.Info }

// Check creates and closes a channel, since nothing else tells whether the
// limits leave room for it.
func (t *transport) Check(cfg ipc.Config) error {
	link, err := t.Create(cfg)
	if err != nil {
		return err
	}
	return link.Close()
}

func (t *transport) Create(cfg ipc.Config) (ipc.Link, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if !t.Kind.Info.CanWait(cfg.Wait) {
		return nil, fmt.Errorf("%s: wait %s: %w", t.Kind.Info.Name, cfg.Wait, errors.ErrUnsupported)
	}
	l := &link{clients: make([]ipc.Handover, cfg.Clients)}
	for i := range cfg.Clients {
		p, err := t.Pair(cfg)
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("%s: client %d: %w", t.Kind.Info.Name, i, resources(err))
		}
		l.server.Files = append(l.server.Files, p.Server...)
		l.clients[i].Files = p.Client
		l.notes = p.Notes
	}
	return l, nil
}

// resources marks the errors that say that a limit is reached.
func resources(err error) error {
	for _, limit := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.ENOSPC} {
		if errors.Is(err, limit) {
			return fmt.Errorf("%w: %w", ipc.ErrNoResources, err)
		}
	}
	return err
}

func (t *transport) Listen(cfg ipc.Config, h ipc.Handover) (ipc.Server, error) {
	defer h.Close()
	if len(h.Files) != cfg.Clients*t.Files {
		return nil, fmt.Errorf("%s: %d files for %d clients", t.Kind.Info.Name, len(h.Files), cfg.Clients)
	}
	var conns []ipc.Conn
	for i := range cfg.Clients {
		files := h.Files[i*t.Files : (i+1)*t.Files]
		c, err := t.open(files, cfg.Wait, copies.Reply, cfg.MaxReply, cfg.MaxRequest)
		if err != nil {
			for _, c := range conns {
				c.Close()
			}
			return nil, err
		}
		conns = append(conns, c)
	}
	return ipc.NewServer(conns, !t.Kind.Info.RuntimeSafe), nil
}

func (t *transport) Dial(cfg ipc.Config, h ipc.Handover) (ipc.Client, error) {
	defer h.Close()
	if len(h.Files) != t.Files {
		return nil, fmt.Errorf("%s: %d files for a client", t.Kind.Info.Name, len(h.Files))
	}
	c, err := t.open(h.Files, cfg.Wait, copies.Request, cfg.MaxRequest, cfg.MaxReply)
	if err != nil {
		return nil, err
	}
	return ipc.NewClient(c), nil
}

func (t *transport) open(files []*os.File, wait ipc.Wait, out copies.Direction, maxOut, maxIn int) (ipc.Conn, error) {
	c := &conn{
		wait: wait, ledger: copies.NewLedger(out), sites: t.Sites,
		bare:   ipc.LentBuffer(make([]byte, ipc.Headroom)),
		maxOut: maxOut, maxIn: maxIn, record: t.Record,
	}
	var err error
	if c.inbox, err = newInbox(maxIn); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Kind.Info.Name, err)
	}
	c.end, err = t.Open(files, Setting{Wait: wait, Ledger: c.ledger})
	if err != nil {
		c.inbox.free()
		return nil, fmt.Errorf("%s: %w", t.Kind.Info.Name, err)
	}
	return c, nil
}

package stream

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
	"ipcbench/ipc/internal/ends"
)

// Kind is what tells one transport over descriptors from another.
type Kind struct {
	Info  ipc.Info
	Sites Sites
	// Pair makes and tunes the two ends of one client's channel.
	Pair func(ipc.Config) (Pair, error)
	// Files is how many files an end has.
	Files int
	// Open makes an End of the files of one side of a Pair and owns them, if it
	// succeeds.
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

// NewSites are the sites of a transport; see copies.NewSite.
func NewSites(transport string) Sites {
	return Sites{
		Read:  copies.NewSite(transport+"/read", copies.Kernel),
		Write: copies.NewSite(transport+"/write", copies.Kernel),
	}
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
	var notes []string // of each pair
	l, err := ends.Make(cfg.Clients, func() (c ends.Connection, err error) {
		p, err := t.Pair(cfg)
		if err != nil {
			return c, resources(err)
		}
		notes = p.Notes
		return ends.Connection{Server: ipc.Handover{Files: p.Server}, Client: ipc.Handover{Files: p.Client}}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Kind.Info.Name, err)
	}
	for _, note := range notes {
		l.Note("%s", note)
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
	return t.ends().Listen(cfg, h)
}

func (t *transport) Dial(cfg ipc.Config, h ipc.Handover) (ipc.Client, error) {
	return t.ends().Dial(cfg, h)
}

func (t *transport) ends() ends.Ends {
	return ends.Ends{Name: t.Kind.Info.Name, Files: t.Files, Take: t.take, RuntimeSafe: t.Kind.Info.RuntimeSafe}
}

func (t *transport) take(cfg ipc.Config, end ipc.Handover, out copies.Direction) (ipc.Conn, error) {
	limits := [2]int{cfg.MaxRequest, cfg.MaxReply}
	c := &conn{
		wait: cfg.Wait, ledger: copies.NewLedger(out), sites: t.Sites,
		bare:   ipc.LentBuffer(make([]byte, ipc.Headroom)),
		maxOut: limits[out], maxIn: limits[copies.Reply-out], record: t.Record,
		buffers: ipc.Buffers{HugePages: cfg.HugePages},
	}
	var err error
	if c.inbox, err = newInbox(c.maxIn); err != nil {
		return nil, err
	}
	if c.end, err = t.Open(end.Files, Setting{Wait: cfg.Wait, Ledger: c.ledger}); err != nil {
		c.inbox.free()
		return nil, err
	}
	return c, nil
}

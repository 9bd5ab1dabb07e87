package mq

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
	"ipcbench/ipc/internal/ends"
)

var (
	sysvSites = sites{
		copies.NewSite("sysv-msg/msgsnd", copies.Kernel),
		copies.NewSite("sysv-msg/msgrcv", copies.Kernel),
	}
	posixSites = sites{
		copies.NewSite("posix-mq/mq_timedsend", copies.Kernel),
		copies.NewSite("posix-mq/mq_timedreceive", copies.Kernel),
	}
)

// Transports returns the transports of this package.
func Transports() []ipc.Transport {
	return []ipc.Transport{
		&transport{
			info: ipc.Info{
				Name:    "sysv-msg",
				Summary: "two System V message queues; messages split at msgmax",
				Waits:   ipc.Waits,
			},
			sites:   sysvSites,
			files:   1,
			create:  createSysV,
			open:    openSysV,
			remove:  removeSysV,
			explain: explainSysV,
		},
		&transport{
			info: ipc.Info{
				Name:    "posix-mq",
				Summary: "two POSIX message queues; messages split at the queue's message size",
				Waits:   ipc.Waits,
			},
			sites:   posixSites,
			files:   3,
			create:  createPosix,
			open:    openPosix,
			explain: explainPosix,
		},
	}
}

// transport is a kind of queue.
type transport struct {
	info  ipc.Info
	sites sites
	// files is how many an end inherits: its lifeline first.
	files int
	// create makes the queues of all clients.
	create func(ipc.Config) (*ends.Link, error)
	// open takes up the queues of requests and replies.
	open func(identity, []*os.File, ipc.Wait) ([2]queue, error)
	// remove removes what has no descriptor, if there is such.
	remove func(identity)
	// explain turns an errno into one of the contract's errors.
	explain func(error, ipc.Config) error
}

// identity is what both ends are told of a connection, each value for requests
// and for replies.
type identity struct {
	Queues  [2]uint32 // identifiers, of System V queues
	Records [2]uint32 // bytes of a fragment at most
}

const identitySize = 16

// parseIdentity reads the identity in the data of a checked handover.
func parseIdentity(data []byte) (id identity) {
	binary.Decode(data, binary.LittleEndian, &id) // there are bytes enough
	return id
}

func (id identity) bytes() []byte {
	b, _ := binary.Append(nil, binary.LittleEndian, id) // of fixed size, so it cannot fail
	return b
}

func (t *transport) Info() ipc.Info { return t.info }

// Check implements ipc.Transport: it creates the queues of such a channel and
// removes them, because only the kernel knows its limits and who else
// uses them up.
func (t *transport) Check(cfg ipc.Config) error {
	l, err := t.Create(cfg)
	if err != nil {
		return err
	}
	return l.Close()
}

// Create implements ipc.Transport.
func (t *transport) Create(cfg ipc.Config) (ipc.Link, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.info.Name, err)
	}
	l, err := t.create(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.info.Name, t.explain(err, cfg))
	}
	return l, nil
}

// Listen implements ipc.Transport.
func (t *transport) Listen(cfg ipc.Config, h ipc.Handover) (ipc.Server, error) {
	return t.ends().Listen(cfg, h)
}

// Dial implements ipc.Transport.
func (t *transport) Dial(cfg ipc.Config, h ipc.Handover) (ipc.Client, error) {
	return t.ends().Dial(cfg, h)
}

func (t *transport) ends() ends.Ends {
	return ends.Ends{Name: t.info.Name, Files: t.files, Data: identitySize, Take: t.take, Abandon: t.abandon}
}

func (t *transport) abandon(end ipc.Handover) {
	if t.remove != nil {
		t.remove(parseIdentity(end.Data))
	}
}

func (t *transport) take(cfg ipc.Config, end ipc.Handover, out copies.Direction) (ipc.Conn, error) {
	id := parseIdentity(end.Data)
	queues, err := t.open(id, end.Files[1:], cfg.Wait)
	if err != nil {
		return nil, errors.Join(err, closeQueues(queues))
	}
	in := copies.Reply - out
	limits := [2]int{cfg.MaxRequest, cfg.MaxReply}
	c := &conn{
		wait: cfg.Wait, ledger: copies.NewLedger(out), sites: t.sites,
		out: queues[out], in: queues[in],
		maxOut: limits[out], maxIn: limits[in],
		recordOut: int(id.Records[out]), recordIn: int(id.Records[in]),
		buffers: ipc.Buffers{HugePages: cfg.HugePages},
	}
	if err := c.start(end.Files[0]); err != nil {
		return nil, errors.Join(err, closeQueues(queues))
	}
	ipc.Handover{Files: end.Files[1:]}.Close()
	return c, nil
}

func openSysV(id identity, _ []*os.File, _ ipc.Wait) ([2]queue, error) {
	return [2]queue{sysvQueue{int(id.Queues[0])}, sysvQueue{int(id.Queues[1])}}, nil
}

func removeSysV(id identity) {
	for _, q := range id.Queues {
		sysvQueue{int(q)}.close()
	}
}

// openPosix takes descriptors of its own from the files, since a file's belongs to
// Go's poller.
func openPosix(_ identity, files []*os.File, wait ipc.Wait) (queues [2]queue, err error) {
	for i, f := range files {
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err == nil {
			queues[i] = &posixQueue{fd: fd}
			err = unix.SetNonblock(fd, wait == ipc.Spin)
		}
		if err != nil {
			return queues, fmt.Errorf("take up a queue's descriptor: %w", err)
		}
	}
	return queues, nil
}

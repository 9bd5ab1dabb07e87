package transport

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"ipcbench/ipc"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/copies"
)

// regionSize is the receive region of every process of a channel, in bytes: the
// most that the driver uses.
const regionSize = 4 << 20

// platform is a Binder device as the transports use it.
type platform interface {
	// check says why there is no such device here.
	check() error
	// create makes a context and tells of its place.
	create() (created, error)
	// open opens the device of a place. A raw one enters the kernel without
	// telling the Go scheduler, and waits as the configuration says.
	open(place string, wait ipc.Wait, raw bool) (device.Device, error)
	// leave is called when an end has closed, and does what the creator would
	// have done if it is gone.
	leave(place string)
}

// created is a context that was made.
type created struct {
	place  string
	remove func() error // undoes it
	// broker is what the context's broker inherits; nil where it has none.
	broker *os.File
}

// transport is one way to carry payload over one platform.
type transport struct {
	info     ipc.Info
	platform platform
	carrier  carrier
	// site is where the driver copies payload, headerSite where it copies
	// everything else, if that is elsewhere.
	site       copies.Site
	headerSite *copies.Site
}

// Info implements ipc.Transport.
func (t *transport) Info() ipc.Info { return t.info }

// Check implements ipc.Transport. Payloads have to fit into the regions:
// requests of all clients at once into the server's, a reply into a client's.
func (t *transport) Check(cfg ipc.Config) error {
	if err := cfg.Validate(); err != nil {
		return t.wrap(err)
	}
	if cfg.Clients > maxClients {
		return t.wrap(fmt.Errorf("%w: %d clients, at most %d", ipc.ErrNoResources, cfg.Clients, maxClients))
	}
	room := regionSize - t.carrier.overhead()
	if n := max(cfg.MaxRequest*cfg.Clients, cfg.MaxReply); n > room {
		return t.wrap(fmt.Errorf("%w: %d bytes at once in a region with room for %d", ipc.ErrTooLarge, n, room))
	}
	return t.wrap(t.platform.check())
}

func (t *transport) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", t.info.Name, err)
}

// process is this process's part in a channel's context.
type process struct {
	*binder.ProcessState
	device device.Device
	leave  func()
}

// join makes this process a part of a context.
func join(p platform, place string, wait ipc.Wait, raw bool, opts ...binder.Option) (process, error) {
	dev, err := p.open(place, wait, raw)
	if err != nil {
		return process{}, err
	}
	ps, err := binder.Open(dev, opts...)
	if err != nil {
		return process{}, errors.Join(err, closeDevice(dev))
	}
	return process{ps, dev, func() { p.leave(place) }}, nil
}

// Close leaves the context.
func (p process) Close() error {
	defer p.leave()
	return errors.Join(p.ProcessState.Close(), closeDevice(p.device))
}

// closeDevice lets go of a device that holds something beside its files.
func closeDevice(dev device.Device) error {
	if c, ok := dev.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// join joins the channel's context as one of its ends.
func (t *transport) join(cfg ipc.Config, place string, opts ...binder.Option) (process, error) {
	opts = append(opts, binder.WithRegionSize(regionSize))
	return join(t.platform, place, cfg.Wait, !t.info.RuntimeSafe, opts...)
}

// link is a created channel: a context, its service manager, and a lifeline
// for each client.
type link struct {
	transport *transport
	created
	manager func() error
	server  []*os.File
	clients []*os.File
}

// Create implements ipc.Transport.
func (t *transport) Create(cfg ipc.Config) (ipc.Link, error) {
	if err := t.Check(cfg); err != nil {
		return nil, err
	}
	l := &link{transport: t}
	if err := l.create(cfg.Clients); err != nil {
		return nil, t.wrap(resources(errors.Join(err, l.Close())))
	}
	return l, nil
}

// resources marks the errors that say that a limit is reached.
func resources(err error) error {
	for _, limit := range []error{syscall.ENOSPC, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, limit) {
			return fmt.Errorf("%w: %w", ipc.ErrNoResources, err)
		}
	}
	return err
}

func (l *link) create(clients int) (err error) {
	p := l.transport.platform
	if l.created, err = p.create(); err != nil {
		return err
	}
	if l.broker == nil {
		l.manager, err = startManager(p, l.place)
	} else {
		l.manager, err = startBroker(l, clients)
	}
	if err != nil {
		return err
	}
	for range clients {
		server, client, err := ipc.NewLifeline()
		if err != nil {
			return err
		}
		l.server, l.clients = append(l.server, server), append(l.clients, client)
	}
	return nil
}

// Server implements ipc.Link.
func (l *link) Server() (ipc.Handover, error) {
	if l.server == nil {
		return ipc.Handover{}, l.transport.wrap(errors.New("the server was handed over already"))
	}
	h := ipc.Handover{Files: l.server, Data: []byte(l.place)}
	l.server = nil
	return h, nil
}

// Client implements ipc.Link.
func (l *link) Client(i int) (ipc.Handover, error) {
	if l.clients[i] == nil {
		return ipc.Handover{}, l.transport.wrap(fmt.Errorf("client %d was handed over already", i))
	}
	h := ipc.Handover{Files: []*os.File{l.clients[i]}, Data: seat(i, l.place)}
	l.clients[i] = nil
	return h, nil
}

// seat is what a client is told: its number, and where the channel is.
func seat(i int, place string) []byte { return fmt.Appendf(nil, "%d %s", i, place) }

func parseSeat(data []byte) (i int, place string, err error) {
	number, place, _ := strings.Cut(string(data), " ")
	if i, err = strconv.Atoi(number); err != nil || i < 0 || i >= maxClients {
		return 0, "", fmt.Errorf("a handover for client %q of at most %d", number, maxClients)
	}
	return i, place, nil
}

// Notes implements ipc.Link.
func (l *link) Notes() []string {
	return []string{
		fmt.Sprintf("regions of %d MiB, %d loopers at most", regionSize>>20, binder.DefaultMaxThreads+1),
	}
}

// Close implements ipc.Link.
func (l *link) Close() error {
	var errs []error
	for _, f := range slices.Concat(l.server, l.clients, []*os.File{l.broker}) {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	l.server, l.clients, l.broker = nil, nil, nil
	for _, undo := range []*func() error{&l.manager, &l.remove} {
		if *undo != nil {
			errs = append(errs, (*undo)())
			*undo = nil
		}
	}
	return errors.Join(errs...)
}

package transport

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync/atomic"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/binder/device/daemon"
	binderd "ipcbench/ipc/binder/device/daemon/server"
	"ipcbench/ipc/copies"
)

// daemonPlatform is the driver in Go in a process of its own: a channel's broker.
type daemonPlatform struct{}

func (daemonPlatform) leave(string) {}

func (daemonPlatform) check() error {
	var probe, got [1]byte
	if _, err := sys.ProcessRead(os.Getpid(), sys.Address(probe[:]), got[:]); err != nil {
		return fmt.Errorf("%w: process_vm_readv: %w", errors.ErrUnsupported, err)
	}
	return nil
}

var sockets atomic.Int64

// create makes the socket at which the broker will listen. Who connects before it
// does waits.
func (daemonPlatform) create() (created, error) {
	place := fmt.Sprintf("@ipcbench-binder-%d-%d", os.Getpid(), sockets.Add(1))
	l, err := listen(place)
	if err != nil {
		return created{}, err
	}
	defer l.Close()
	file, err := l.File()
	return created{place: place, broker: file}, err
}

func listen(place string) (*net.UnixListener, error) {
	return net.ListenUnix("unixpacket", &net.UnixAddr{Net: "unixpacket", Name: place})
}

func (daemonPlatform) open(socket string, _ ipc.Wait, raw bool) (device.Device, error) {
	return daemon.New(daemon.Options{Socket: socket, RawWait: raw}), nil
}

// serveHere runs the daemon of a context in this process, without service manager.
func serveHere(socket *os.File) (stop func() error, err error) {
	defer socket.Close()
	l, err := net.FileListener(socket)
	if err != nil {
		return nil, err
	}
	d, err := binderd.New(binderd.Options{})
	if err != nil {
		l.Close()
		return nil, err
	}
	go d.Serve(l.(*net.UnixListener))
	return func() error { return errors.Join(l.Close(), d.Close()) }, nil
}

// brokered is a transport with a daemon.
type brokered struct{ *transport }

// Create implements ipc.Transport.
func (t *brokered) Create(cfg ipc.Config) (ipc.Link, error) {
	l, err := t.transport.Create(cfg)
	if err != nil {
		return nil, err
	}
	return &brokeredLink{l.(*link)}, nil
}

type brokeredLink struct{ *link }

// Broker implements ipc.BrokeredLink.
func (l *brokeredLink) Broker() (ipc.Handover, error) {
	if l.broker == nil {
		return ipc.Handover{}, l.transport.wrap(errors.New("the broker was handed over already"))
	}
	h := ipc.Handover{Files: []*os.File{l.broker}, Data: []byte(l.place)}
	l.broker = nil
	return h, nil
}

// startBroker starts the broker of a link whose creator has to do it itself. A
// variable because the harness starts it, except in the tests of this package.
var startBroker = func(l *link, clients int) (stop func() error, err error) { return nil, nil }

// Broker implements ipc.Brokered: a daemon, and the service manager, which it has
// in its own process.
func (t *brokered) Broker(cfg ipc.Config, h ipc.Handover) (ipc.Broker, error) {
	defer h.Close()
	if len(h.Files) != 1 {
		return nil, t.wrap(fmt.Errorf("a handover of %d files for a broker", len(h.Files)))
	}
	b, err := newBroker(t.transport, cfg, h.Files[0], string(h.Data))
	if err != nil {
		return nil, t.wrap(err)
	}
	return b, nil
}

// broker is the daemon in the harness's hands. Its copies and system calls stand
// in the accounts of the threads for which it makes them; its own has the calls
// that it makes for none.
type broker struct {
	ledger    *copies.Ledger
	daemon    *binderd.Server
	manager   func() error
	listeners []*net.UnixListener
	resting   chan struct{}
	closed    chan struct{}
}

func newBroker(t *transport, cfg ipc.Config, socket *os.File, place string) (*broker, error) {
	// A processor for each thread that may be asleep in the kernel.
	const setUp, eachClient, control = 16, 8, 4
	if n := t.info.PoolThreads + setUp + eachClient*cfg.Clients + control; n > runtime.GOMAXPROCS(0) {
		runtime.GOMAXPROCS(n)
	}
	inherited, err := net.FileListener(socket)
	if err != nil {
		return nil, err
	}
	b := &broker{ledger: copies.NewLedger(copies.Request), listeners: []*net.UnixListener{inherited.(*net.UnixListener)}, resting: make(chan struct{}, 1), closed: make(chan struct{})}
	if err := b.start(t.platform, place); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// start has the service manager there before anybody else is served.
func (b *broker) start(p platform, place string) (err error) {
	if b.daemon, err = binderd.New(binderd.Options{RawWait: true}); err != nil {
		return err
	}
	own, err := listen(place + "-manager")
	if err != nil {
		return err
	}
	b.listeners = append(b.listeners, own)
	go b.daemon.Serve(own)
	if b.manager, err = startManager(p, place+"-manager"); err != nil {
		return err
	}
	go b.daemon.Serve(b.listeners[0])
	return nil
}

// Run implements ipc.Broker.
func (b *broker) Run(running func()) error {
	before := b.daemon.Calls()
	running()
	select {
	case <-b.resting:
		b.ledger.Syscalls(int(b.daemon.Calls() - before))
		return nil
	case <-b.closed:
		return ipc.ErrClosed
	}
}

// Rest implements ipc.Resting.
func (b *broker) Rest() { b.resting <- struct{}{} }

// Ledger implements ipc.Broker.
func (b *broker) Ledger() *copies.Ledger { return b.ledger }

// Close implements ipc.Broker.
func (b *broker) Close() error {
	var err error
	close(b.closed)
	for _, l := range b.listeners {
		l.Close()
	}
	if b.manager != nil {
		err = b.manager()
	}
	if b.daemon != nil {
		err = errors.Join(err, b.daemon.Close())
	}
	return err
}

package transport

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/parcel"
	"ipcbench/ipc/binder/servicemanager"
	"ipcbench/ipc/copies"
)

// serviceName is what the server is called.
const serviceName = "ipcbench"

// patience is how long a client waits for the server to register, and how
// often it looks.
const (
	patience = 10 * time.Second
	interval = time.Millisecond
)

type client struct {
	transport *transport
	cfg       ipc.Config
	ps        process
	lifeline  *ipc.Lifeline
	ending    ipc.Ending
	gate      ipc.Gate
	buffers   ipc.Buffers
	account   account

	service binder.IBinder
	handle  uint32
	// index is the client's number among those of the channel; it made sent
	// one-way calls, of which drained are known to have been handled.
	index         int
	sent, drained uint32
	// thread is that of the first call, which stays locked to its goroutine.
	thread *binder.IPCThreadState
	// private is where carriers put what they copy or unpack.
	private     []byte
	data, reply parcel.Parcel
}

// Dial implements ipc.Transport. It waits for the server to listen.
func (t *transport) Dial(cfg ipc.Config, h ipc.Handover) (ipc.Client, error) {
	if len(h.Files) != 1 {
		h.Close()
		return nil, t.wrap(fmt.Errorf("a handover of %d files for a client", len(h.Files)))
	}
	index, place, err := parseSeat(h.Data)
	if err != nil {
		h.Close()
		return nil, t.wrap(err)
	}
	ps, err := t.join(cfg, place, binder.WithMaxThreads(0))
	if err != nil {
		h.Close()
		return nil, t.wrap(err)
	}
	c := &client{transport: t, cfg: cfg, ps: ps, index: index, account: newAccount(copies.Request, t),
		buffers: ipc.Buffers{HugePages: cfg.HugePages}}
	c.lifeline = ipc.Watch(h.Files[0], c.ending.PeerGone)
	if err := c.find(); err != nil {
		c.Close()
		return nil, t.wrap(err)
	}
	return c, nil
}

// find looks the server's object up, again and again until it is registered.
func (c *client) find() error {
	sm, err := servicemanager.Connect(c.ps.ProcessState)
	if err != nil {
		return err
	}
	defer sm.Close()
	for deadline := time.Now().Add(patience); ; time.Sleep(interval) {
		service, err := sm.CheckService(serviceName)
		if err == nil {
			c.service, c.handle = service, service.(*binder.Proxy).Handle()
			return nil
		}
		if gone := c.ending.Err(); gone != nil {
			return gone
		}
		if !errors.Is(err, binder.NameNotFound) || time.Now().After(deadline) {
			return err
		}
	}
}

// Buffer implements ipc.Client.
func (c *client) Buffer(n int) (*ipc.Buffer, error) { return c.buffers.Buffer(n) }

// Ledger implements ipc.Client. What the driver counted is in it after Stop.
func (c *client) Ledger() *copies.Ledger { return c.account.ledger }

// Call implements ipc.Client.
func (c *client) Call(request *ipc.Buffer) ([]byte, error) {
	if err := c.enter(request); err != nil {
		return nil, err
	}
	defer c.gate.Leave()
	if err := c.drain(); err != nil {
		return nil, c.explain(err)
	}
	reply, err := c.transport.carrier.call(c, request.Bytes(), 0)
	if err != nil {
		return nil, c.explain(err)
	}
	c.account.sent(request.Len(), 0)
	c.account.ledger.Delivered(len(reply))
	return reply, nil
}

// Send implements ipc.Client. When the server's room for one-way calls is taken it
// tries again until there is some. There is nothing to wait for: a Binder driver,
// the kernel's too, tells a receiver of work and a sender of its reply, but nobody
// when a one-way call's buffer is freed, and a call that asks the server would be
// answered by another of its threads before.
func (c *client) Send(request *ipc.Buffer) error {
	if err := c.enter(request); err != nil {
		return err
	}
	defer c.gate.Leave()
	if c.sent-c.drained == maxBacklog-1 {
		if err := c.drain(); err != nil {
			return c.explain(err)
		}
	}
	for {
		_, err := c.transport.carrier.call(c, request.Bytes(), abi.TF_ONE_WAY)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.ENOSPC) || request.Len() > asyncRoom {
			return c.explain(err)
		}
		time.Sleep(interval)
	}
	c.sent++
	c.account.sent(request.Len(), 0)
	return nil
}

// drain waits until the server has handled what was sent: Binder would let a call
// overtake it. The server keeps the answer back until then, unless it has no thread to
// spare for that; then the client asks again, a looking one at once.
func (c *client) drain() error {
	for c.sent != c.drained {
		_, err := c.thread.TransactBytes(c.handle, code(kindDrain, c.index, c.sent), nil, 0)
		switch {
		case err == nil:
			c.drained = c.sent
		case !errors.Is(err, binder.WouldBlock):
			return err
		case c.cfg.Wait == ipc.Block:
			time.Sleep(interval)
		}
	}
	return nil
}

// code of a call that carries payload.
func (c *client) code() uint32 { return code(kindCall, c.index, c.sent) }

// asyncRoom is what a region has room for in one-way calls.
const asyncRoom = regionSize/2 - 1024

// enter begins an operation, and with the first takes the calling thread.
func (c *client) enter(request *ipc.Buffer) error {
	if err := c.gate.Enter(); err != nil {
		return c.transport.wrap(err)
	}
	if c.thread == nil {
		thread, err := c.ps.Attach()
		if err != nil {
			c.gate.Leave()
			return c.explain(err)
		}
		c.thread = thread
		c.account.begin(thread)
	}
	if n := request.Len(); n > c.cfg.MaxRequest {
		c.gate.Leave()
		return c.transport.wrap(fmt.Errorf("%w: %d bytes, at most %d", ipc.ErrTooLarge, n, c.cfg.MaxRequest))
	}
	return nil
}

// Stop implements ipc.Client.
func (c *client) Stop() error {
	if err := c.enter(new(ipc.Buffer)); err != nil {
		return err
	}
	defer c.gate.Leave()
	if err := c.drain(); err != nil {
		return c.explain(err)
	}
	c.account.mark(c.thread)
	_, err := c.thread.TransactBytes(c.handle, code(kindStop, c.index, c.sent), nil, 0)
	c.account.settle(c.thread)
	return c.explain(err)
}

// explain puts an error of Binder into the words of the contract.
func (c *client) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case c.gate.IsShut(), errors.Is(err, binder.ErrClosed):
		err = ipc.ErrClosed
	case errors.Is(err, binder.DeadObject):
		err = ipc.ErrPeerGone
	case errors.Is(err, unix.ENOSPC):
		err = fmt.Errorf("%w: %w", ipc.ErrNoResources, err)
	}
	return c.transport.wrap(err)
}

// Close implements ipc.Client.
func (c *client) Close() error {
	if !c.gate.Shut(func() { _ = c.ps.Shutdown() }) {
		return nil
	}
	err := c.ps.Close()
	c.lifeline.Close()
	c.buffers.FreeAll()
	return err
}

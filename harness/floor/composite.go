package floor

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"ipcbench/internal/event"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// A path is one direction between two processes: an event, the message's
// length, and the message.
type path struct {
	event  event.Event
	length []byte
	data   []byte
	seen   uint32
}

const (
	pageSize   = 4096
	lengthAt   = event.Size
	stopLength = ^uint32(0)
)

// pathSize is a path's share of the memory, its data on a page of its own.
func pathSize(payload int) int {
	return pageSize + (payload+pageSize-1)/pageSize*pageSize
}

func pathAt(mem []byte, payload int) path {
	return path{
		event:  event.At(mem),
		length: mem[lengthAt : lengthAt+4],
		data:   mem[pageSize : pageSize+payload],
	}
}

func (p *path) send(payload []byte) {
	copy(p.data, payload)
	binary.LittleEndian.PutUint32(p.length, uint32(len(payload)))
	p.event.Post()
}

func (p *path) sendStop() {
	binary.LittleEndian.PutUint32(p.length, stopLength)
	p.event.Post()
}

// receive returns ok false for a stop.
func (p *path) receive(wait ipc.Wait, closed *atomic.Bool) (payload []byte, ok bool, err error) {
	count, _ := p.event.Wait(p.seen, wait, closed)
	if closed.Load() {
		return nil, false, ipc.ErrClosed
	}
	p.seen = count
	n := binary.LittleEndian.Uint32(p.length)
	if n == stopLength {
		return nil, false, nil
	}
	return p.data[:n], true, nil
}

// shared is the memory of a floor as one process maps it.
type shared struct {
	ipc.Buffers
	mem    []byte
	closed atomic.Bool
	wait   ipc.Wait
	ledger *copies.Ledger
	waits  []event.Event
}

func openShared(c ipc.Config, h ipc.Handover, size int, out copies.Direction) (*shared, error) {
	defer h.Close()
	if len(h.Files) != 1 {
		return nil, fmt.Errorf("floor: %d files handed over, not 1", len(h.Files))
	}
	conn, err := h.Files[0].SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &shared{Buffers: ipc.Buffers{HugePages: c.HugePages}, wait: c.Wait, ledger: copies.NewLedger(out)}
	var mapErr error
	err = conn.Control(func(fd uintptr) {
		s.mem, mapErr = unix.Mmap(int(fd), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	})
	if err == nil {
		err = mapErr
	}
	if err != nil {
		return nil, fmt.Errorf("floor: map %d bytes: %w", size, err)
	}
	return s, nil
}

func (s *shared) Ledger() *copies.Ledger { return s.ledger }

// Close does not unmap: a blocked thread may still look at the memory, and the
// worker ends soon.
func (s *shared) Close() error {
	s.closed.Store(true)
	for _, e := range s.waits {
		e.Interrupt()
	}
	return nil
}

// link is a floor's memory file in its creator's hands.
type link struct{ file *os.File }

func createLink(size int) (*link, error) {
	fd, err := unix.MemfdCreate("ipcbench-floor", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	f := os.NewFile(uintptr(fd), "floor")
	if err := unix.Fallocate(fd, 0, 0, int64(size)); err != nil {
		f.Close()
		return nil, fmt.Errorf("floor: %d bytes of shared memory: %w: %w", size, ipc.ErrNoResources, err)
	}
	return &link{file: f}, nil
}

func (l *link) handover() (ipc.Handover, error) {
	fd, err := unix.FcntlInt(l.file.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return ipc.Handover{}, fmt.Errorf("floor: %w", err)
	}
	return ipc.Handover{Files: []*os.File{os.NewFile(uintptr(fd), "floor")}}, nil
}

func (l *link) Server() (ipc.Handover, error)    { return l.handover() }
func (l *link) Client(int) (ipc.Handover, error) { return l.handover() }
func (l *link) Broker() (ipc.Handover, error)    { return l.handover() }
func (l *link) Notes() []string                  { return nil }
func (l *link) Close() error                     { return l.file.Close() }

// Composite is the composite floor, one client.
type Composite struct{}

// Info describes the floor.
func (Composite) Info() ipc.Info {
	return ipc.Info{Name: "composite", Summary: "produce, one memcpy, futex wake, consume, and back", Waits: ipc.Waits}
}

// Check accepts one client.
func (Composite) Check(c ipc.Config) error { return oneClient(c) }

func oneClient(c ipc.Config) error {
	if c.Clients != 1 {
		return fmt.Errorf("a floor has one client, not %d", c.Clients)
	}
	return c.Validate()
}

func compositeSize(c ipc.Config) int { return pathSize(c.MaxRequest) + pathSize(c.MaxReply) }

// Create makes the shared memory.
func (Composite) Create(c ipc.Config) (ipc.Link, error) { return createLink(compositeSize(c)) }

// Dial takes the client's end.
func (Composite) Dial(c ipc.Config, h ipc.Handover) (ipc.Client, error) {
	s, err := openShared(c, h, compositeSize(c), copies.Request)
	if err != nil {
		return nil, err
	}
	return newClient(s, pathAt(s.mem, c.MaxRequest), pathAt(s.mem[pathSize(c.MaxRequest):], c.MaxReply)), nil
}

// Listen takes the server's end.
func (Composite) Listen(c ipc.Config, h ipc.Handover) (ipc.Server, error) {
	s, err := openShared(c, h, compositeSize(c), copies.Reply)
	if err != nil {
		return nil, err
	}
	return newServer(s, pathAt(s.mem, c.MaxRequest), pathAt(s.mem[pathSize(c.MaxRequest):], c.MaxReply)), nil
}

type client struct {
	*shared
	request, reply path
}

func newClient(s *shared, request, reply path) *client {
	s.waits = []event.Event{reply.event}
	return &client{s, request, reply}
}

func (c *client) Call(request *ipc.Buffer) ([]byte, error) {
	c.request.send(request.Bytes())
	reply, _, err := c.reply.receive(c.wait, &c.closed)
	return reply, err
}

// Send calls: the composite floor has room for one message a direction.
func (c *client) Send(request *ipc.Buffer) error {
	_, err := c.Call(request)
	return err
}

func (c *client) Stop() error {
	c.request.sendStop()
	_, _, err := c.reply.receive(c.wait, &c.closed)
	return err
}

type server struct {
	*shared
	request, reply path
}

func newServer(s *shared, request, reply path) *server {
	s.waits = []event.Event{request.event}
	return &server{s, request, reply}
}

func (s *server) Serve(service ipc.Service) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- s.serve(service)
	}()
	return <-done
}

func (s *server) serve(service ipc.Service) error {
	handler, err := service.NewHandler(s)
	if err != nil {
		return err
	}
	defer handler.Done()
	for {
		request, ok, err := s.request.receive(s.wait, &s.closed)
		if err != nil {
			return err
		}
		if !ok {
			s.reply.sendStop()
			return nil
		}
		reply := handler.Handle(request, false)
		s.reply.send(reply.Bytes())
	}
}

package ipc

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"ipcbench/ipc/copies"
)

// Conn is one end of a duplex channel of messages between two processes. It
// belongs to one goroutine; only Close may be called from another.
type Conn interface {
	// Buffer returns memory to produce messages in; see Client.Buffer.
	Buffer(n int) (*Buffer, error)
	// Send sends a message: the header, whose Length is the payload's, and
	// the payload. A nil payload goes with Length 0.
	Send(Header, *Buffer) error
	// Recv waits for a message and returns its payload where the transport
	// put it, readable until the next Send or Recv.
	Recv() (Header, []byte, error)
	// Ledger counts what this end copies and calls.
	Ledger() *copies.Ledger
	// Close lets go of the end; a blocked Send or Recv returns ErrClosed, and
	// the peer's ErrPeerGone.
	Close() error
}

// NewClient calls over a Conn.
func NewClient(c Conn) Client { return &connClient{Conn: c} }

type connClient struct {
	Conn
	sequence uint64
}

func (c *connClient) Call(request *Buffer) ([]byte, error) {
	return c.roundTrip(0, request)
}

func (c *connClient) roundTrip(flags Flags, request *Buffer) ([]byte, error) {
	if err := c.Conn.Send(c.header(flags, request), request); err != nil {
		return nil, err
	}
	h, reply, err := c.Recv()
	if err != nil {
		return nil, err
	}
	if h.Sequence != c.sequence {
		return nil, c.outOfStep(h)
	}
	return reply, nil
}

// header is that of the next message.
func (c *connClient) header(flags Flags, request *Buffer) Header {
	c.sequence++
	h := Header{Flags: flags, Sequence: c.sequence}
	if request != nil {
		h.Length = uint32(request.Len())
	}
	return h
}

func (c *connClient) outOfStep(h Header) error {
	return fmt.Errorf("%w: reply %d to request %d", ErrProtocol, h.Sequence, c.sequence)
}

func (c *connClient) Send(request *Buffer) error {
	return c.Conn.Send(c.header(OneWay, request), request)
}

func (c *connClient) Stop() error {
	c.Ledger().Mark()
	_, err := c.roundTrip(Stop, nil)
	return err
}

// NewServer serves one Conn a client, each on a goroutine of its own, which is
// locked to its OS thread if locked is set. Its Close waits for handlers that
// are running, which must not call it.
func NewServer(conns []Conn, locked bool) Server {
	s := &connServer{locked: locked}
	for _, c := range conns {
		s.conns = append(s.conns, &servedConn{Conn: c})
	}
	return s
}

type connServer struct {
	conns  []*servedConn
	locked bool
}

// Serve returns when the last connection has ended. A connection that fails
// closes the others, so that none waits for a client that has nobody to answer
// to.
func (s *connServer) Serve(service Service) error {
	errs := make([]error, len(s.conns))
	var serving sync.WaitGroup
	for i, c := range s.conns {
		serving.Go(func() {
			if s.locked {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
			}
			if errs[i] = c.serve(service); errs[i] != nil {
				s.Close()
			}
		})
	}
	serving.Wait()
	return firstCause(errs)
}

// firstCause prefers what went wrong to the closing that followed from it.
func firstCause(errs []error) error {
	for _, err := range errs {
		if err != nil && !errors.Is(err, ErrClosed) {
			return err
		}
	}
	return errors.Join(errs...)
}

func (s *connServer) Close() error {
	var errs []error
	for _, c := range s.conns {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// servedConn is a connection of a server. Its lock is held while a handler runs,
// since the request and the reply lie in memory that Close lets go of.
type servedConn struct {
	Conn
	handling sync.Mutex
	closed   bool
}

func (c *servedConn) serve(service Service) error {
	handler, err := c.newHandler(service)
	if err != nil {
		return fmt.Errorf("start a serving thread: %w", err)
	}
	defer handler.Done()
	for ledger := c.Ledger(); ; ledger.Mark() {
		h, request, err := c.Recv()
		if err != nil {
			return err
		}
		if h.Flags&Stop != 0 {
			return c.Send(Header{Flags: Stop, Sequence: h.Sequence}, nil)
		}
		reply, err := c.handle(handler, request, h.Flags&OneWay != 0)
		if err != nil {
			return err
		}
		if h.Flags&OneWay != 0 {
			continue
		}
		answer := Header{Sequence: h.Sequence}
		if reply != nil {
			answer.Length = uint32(reply.Len())
		}
		if err := c.Send(answer, reply); err != nil {
			return err
		}
	}
}

func (c *servedConn) newHandler(service Service) (Handler, error) {
	c.handling.Lock()
	defer c.handling.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	return service.NewHandler(c)
}

func (c *servedConn) handle(handler Handler, request []byte, oneway bool) (reply *Buffer, err error) {
	c.handling.Lock()
	if c.closed {
		err = ErrClosed
	} else {
		reply = handler.Handle(request, oneway)
	}
	c.handling.Unlock()
	return reply, err
}

func (c *servedConn) Close() error {
	c.handling.Lock()
	defer c.handling.Unlock()
	c.closed = true
	return c.Conn.Close()
}

package transport

import (
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/abi"
)

// carrier is how payload is handed to Binder and taken from it.
type carrier interface {
	// overhead is how many bytes it needs beside the payload.
	overhead() int
	// call calls the server's object and returns its reply.
	call(c *client, request []byte, flags abi.TransactionFlags) ([]byte, error)
	// object makes the server's.
	object(s *server) *binder.Binder
}

// plain hands the payload itself to the driver, and reads it where the driver
// put it.
type plain struct{}

func (*plain) overhead() int { return 0 }

func (*plain) call(c *client, request []byte, flags abi.TransactionFlags) ([]byte, error) {
	return c.thread.TransactBytes(c.handle, c.code(), request, flags)
}

func (p *plain) object(s *server) *binder.Binder { return s.ps.NewBytesBinder(p) }

// OnBytes serves a call in place.
func (*plain) OnBytes(call *binder.Call, request []byte) ([]byte, error) {
	return threadOf(call).handle(call, request)
}

// twice is plain, except that receivers copy the payload out of the region
// before they look at it.
type twice struct{ plain }

func (t *twice) call(c *client, request []byte, flags abi.TransactionFlags) ([]byte, error) {
	reply, err := t.plain.call(c, request, flags)
	if len(reply) > 0 {
		reply = copyOut(&c.private, reply, c.cfg.MaxReply)
		c.account.ledger.Received(secondCopySite, len(reply), 0)
	}
	return reply, err
}

func (t *twice) object(s *server) *binder.Binder { return s.ps.NewBytesBinder(t) }

// OnBytes serves a call on a copy.
func (*twice) OnBytes(call *binder.Call, request []byte) ([]byte, error) {
	th := threadOf(call)
	if len(request) > 0 && len(request) <= th.server.cfg.MaxRequest {
		request = copyOut(&th.private, request, th.server.cfg.MaxRequest)
		th.account.ledger.Received(secondCopySite, len(request), 0)
	}
	return th.handle(call, request)
}

// copyOut copies b to private memory, which is made once, for up to limit bytes.
func copyOut(private *[]byte, b []byte, limit int) []byte {
	if *private == nil {
		*private = make([]byte, limit)
	}
	return (*private)[:copy(*private, b)]
}

// parceled marshals the payload into a Parcel, as a byte array of an interface
// call.
type parceled struct{}

const descriptor = "org.ipcbench.IBench"

// overhead is more than a token, an exception code, a length and padding.
func (*parceled) overhead() int { return 256 }

func (*parceled) call(c *client, request []byte, flags abi.TransactionFlags) ([]byte, error) {
	c.data.Reset()
	c.reply.Reset() // its buffer goes back with this call
	c.data.WriteInterfaceToken(descriptor)
	c.data.WriteByteArray(request)
	c.account.ledger.Sent(parcelSite, len(request), c.data.Len()-len(request))
	if err := c.thread.Transact(c.handle, c.code(), &c.data, &c.reply, flags); err != nil {
		return nil, err
	}
	c.account.sent(0, c.data.Len()-len(request))
	if flags&abi.TF_ONE_WAY != 0 {
		return nil, nil
	}
	if err := c.reply.ReadException(); err != nil {
		return nil, err
	}
	return c.reply.NextByteArray()
}

func (p *parceled) object(s *server) *binder.Binder { return s.ps.NewBinder(descriptor, p) }

// OnTransact serves a call.
func (*parceled) OnTransact(call *binder.Call) error {
	th := threadOf(call)
	if k, _, _ := parts(call.Code); k != kindCall {
		_, err := th.handle(call, nil)
		return err
	}
	if err := call.Data.EnforceInterface(descriptor); err != nil {
		return err
	}
	request, err := call.Data.NextByteArray()
	if err != nil {
		return err
	}
	reply, err := th.handle(call, request)
	if err != nil || call.OneWay() {
		return err
	}
	call.Reply.WriteNoException()
	call.Reply.WriteByteArray(reply)
	th.account.ledger.Sent(parcelSite, len(reply), call.Reply.Len()-len(reply))
	th.account.sent(0, call.Reply.Len()-len(reply))
	return nil
}

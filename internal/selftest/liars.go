package selftest

import (
	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"

	"golang.org/x/sys/unix"
)

// A liar is a transport whose ledger is wrong in one way, about the replies that
// its client receives; it carries them as the transport does that it is made of.
type liar struct {
	ipc.Transport
	name string
	// caughtBy is the source of evidence that has to contradict it.
	caughtBy string
	lie      func(*liarClient, []byte) []byte
}

// honest is what liars are made of: its copies are in the kernel and in user
// code.
const honest = "pipe"

var (
	unmadeCopy = copies.NewSite("selftest/unmade", copies.User)
	unmadeRead = copies.NewSite("selftest/read", copies.Kernel)
)

func liars(r *ipc.Registry) ([]*liar, error) {
	base, err := r.Lookup(honest)
	if err != nil {
		return nil, err
	}
	return []*liar{
		{base, "hides-a-copy", "canary_reply", (*liarClient).hideCopy},
		{base, "hides-a-kernel-copy", "accounting", (*liarClient).hideKernelCopy},
		{base, "claims-a-copy", "canary_reply", (*liarClient).claimCopy},
		{base, "claims-a-kernel-copy", "accounting", (*liarClient).claimKernelCopy},
	}, nil
}

// WithLiars adds the self-tests' transports to a registry, for the workers that
// carry them out.
func WithLiars(r *ipc.Registry) *ipc.Registry {
	all := r.All()
	list, err := liars(r)
	if err != nil {
		return r
	}
	for _, l := range list {
		all = append(all[:len(all):len(all)], l)
	}
	return ipc.NewRegistry(all...)
}

// Info implements ipc.Transport.
func (l *liar) Info() ipc.Info {
	info := l.Transport.Info()
	info.Name, info.Optional = l.name, true
	return info
}

// Dial implements ipc.Transport.
func (l *liar) Dial(cfg ipc.Config, h ipc.Handover) (ipc.Client, error) {
	c, err := l.Transport.Dial(cfg, h)
	if err != nil {
		return nil, err
	}
	lying := &liarClient{Client: c, lie: l.lie, private: make([]byte, cfg.MaxReply)}
	if err := unix.Pipe2(lying.pipe[:], unix.O_CLOEXEC); err != nil {
		c.Close()
		return nil, err
	}
	return lying, nil
}

type liarClient struct {
	ipc.Client
	lie     func(*liarClient, []byte) []byte
	private []byte
	pipe    [2]int
}

func (c *liarClient) Call(request *ipc.Buffer) ([]byte, error) {
	reply, err := c.Client.Call(request)
	if err == nil && len(reply) > 0 {
		reply = c.lie(c, reply)
	}
	return reply, err
}

func (c *liarClient) Close() error {
	unix.Close(c.pipe[0])
	unix.Close(c.pipe[1])
	return c.Client.Close()
}

// hideCopy makes a copy and says nothing.
func (c *liarClient) hideCopy(reply []byte) []byte {
	return c.private[:copy(c.private, reply)]
}

// hideKernelCopy does so by way of the kernel. A reply that the pipe has no room
// for would block; the self-test sends small ones.
func (c *liarClient) hideKernelCopy(reply []byte) []byte {
	if _, err := sys.RawWrite(c.pipe[1], reply); err != nil {
		return reply
	}
	if _, err := sys.RawRead(c.pipe[0], c.private[:len(reply)]); err != nil {
		return reply
	}
	return reply
}

// claimCopy counts a copy that nobody makes.
func (c *liarClient) claimCopy(reply []byte) []byte {
	c.Ledger().Received(unmadeCopy, len(reply), 0)
	return reply
}

// claimKernelCopy counts a system call that nobody makes.
func (c *liarClient) claimKernelCopy(reply []byte) []byte {
	c.Ledger().Received(unmadeRead, len(reply), 0)
	c.Ledger().Syscalls(1)
	return reply
}

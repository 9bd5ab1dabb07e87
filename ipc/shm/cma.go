package shm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

var siteRead = copies.NewSite("cma/process_vm_readv", copies.Kernel)

// reading is an end that sends where its payload is in its own memory; the
// receiver fetches it from there, with one system call. A one-way message is
// sent when the receiver has fetched it.
type reading struct {
	*channel
	peer  int // process, 0 before the first message
	inbox *ipc.Buffer
}

// readingLayout has control pages only.
func readingLayout(cfg ipc.Config) layout {
	return newLayout([2]shape{bareShape(cfg.MaxRequest), bareShape(cfg.MaxReply)}, [2]int{})
}

// openReading makes an end, which lets its peer read this process.
func openReading(c *channel) (ipc.Conn, error) {
	inbox, err := c.buffers.Buffer(c.in.limit)
	if err != nil {
		return nil, err
	}
	return &reading{channel: c, inbox: inbox}, allowReaders()
}

// allowReaders allows other processes of the user to read this one where Yama
// allows only ancestors to. A process can name but one reader or all; a server
// has many.
func allowReaders() error {
	if yamaScope() != 1 {
		return nil
	}
	const anybody = ^uintptr(0) // PR_SET_PTRACER_ANY
	if err := unix.Prctl(unix.PR_SET_PTRACER, anybody, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl PR_SET_PTRACER: %w", err)
	}
	return nil
}

// yamaScope is kernel.yama.ptrace_scope, 0 where there is no Yama.
func yamaScope() int {
	b, _ := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope")
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// checkReading probes process_vm_readv, on this process itself, and what Yama
// says of others.
func checkReading() error {
	b, err := ipc.NewBuffer(1)
	if err != nil {
		return err
	}
	defer b.Free()
	var got [1]byte
	if _, err := sys.RawProcessRead(os.Getpid(), sys.Address(b.Bytes()), got[:]); err != nil {
		return fmt.Errorf("%w: process_vm_readv: %w", errors.ErrUnsupported, err)
	}
	if scope := yamaScope(); scope > 2 || scope == 2 && !hasPtraceCapability() {
		return fmt.Errorf("%w: process_vm_readv: kernel.yama.ptrace_scope is %d", errors.ErrUnsupported, scope)
	}
	return nil
}

func hasPtraceCapability() bool {
	p, err := procfs.Self()
	if err != nil {
		return false
	}
	status, err := p.NewStatus()
	return err == nil && status.CapEff&(1<<unix.CAP_SYS_PTRACE) != 0
}

// Send implements ipc.Conn.
func (c *reading) Send(h ipc.Header, b *ipc.Buffer) error {
	slot, err := c.reserve(h)
	if err != nil {
		return err
	}
	var place uint64
	if h.Length > 0 {
		place = sys.Address(b.Bytes())
	}
	c.publish(slot, h, place)
	if h.Flags&ipc.OneWay != 0 {
		return c.cause(c.out.drain())
	}
	return nil
}

// Recv implements ipc.Conn. The message is done with once it has been fetched.
func (c *reading) Recv() (ipc.Header, []byte, error) {
	m, err := c.next()
	if err != nil {
		return ipc.Header{}, nil, err
	}
	payload := c.inbox.Bytes()[:m.Length:m.Length]
	if m.Length > 0 {
		if err := c.fetch(payload, m.place); err != nil {
			return ipc.Header{}, nil, c.cause(err)
		}
	}
	c.in.letGo()
	if m.Flags&ipc.OneWay != 0 {
		c.in.tell()
	}
	c.ledger.Delivered(len(payload))
	return m.Header, payload, nil
}

func (c *reading) fetch(payload []byte, address uint64) error {
	if c.peer == 0 {
		c.peer = int(int32(binary.LittleEndian.Uint32(c.in.control[pidAt:])))
	}
	c.ledger.Syscalls(1)
	n, err := sys.RawProcessRead(c.peer, address, payload)
	switch {
	case c.peer < 1:
		return fmt.Errorf("%w: process %d", ipc.ErrProtocol, c.peer)
	case err == unix.ESRCH:
		return ipc.ErrPeerGone
	case err == unix.EPERM:
		return fmt.Errorf("%w: process %d is not to be read: %w", ipc.ErrProtocol, c.peer, err)
	case err == unix.EFAULT || err == nil && n < len(payload):
		if over := c.ending.Err(); over != nil {
			return over // a process loses its memory before its descriptors
		}
		return fmt.Errorf("%w: %d bytes at %#x are not the peer's", ipc.ErrProtocol, len(payload), address)
	case err != nil:
		return fmt.Errorf("process_vm_readv: %w", err)
	}
	c.ledger.Received(siteRead, n, 0)
	return nil
}

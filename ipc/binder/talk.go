package binder

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// command is where the next command for the driver is written. Commands are
// short, and what was written goes out when there is no more room.
func (t *IPCThreadState) command(size int) abi.Encoder[abi.Command] {
	if outSize-t.written < 4+size {
		t.flush()
	}
	return abi.NewEncoder[abi.Command](t.memory[outAt+t.written : outAt+outSize])
}

// queue appends the command that e encoded to what goes out next.
func (t *IPCThreadState) queue(e *abi.Encoder[abi.Command]) error {
	t.written += e.Len()
	return e.Err()
}

func (t *IPCThreadState) queueCode(c abi.Command) error {
	e := t.command(0)
	e.Code(c)
	return t.queue(&e)
}

func (t *IPCThreadState) queueHandle(c abi.Command, handle uint32) error {
	e := t.command(4)
	e.Uint32(c, handle)
	return t.queue(&e)
}

func (t *IPCThreadState) queueUint64(c abi.Command, v uint64) error {
	e := t.command(8)
	e.Uint64(c, v)
	return t.queue(&e)
}

func (t *IPCThreadState) queueNode(c abi.Command, node abi.PtrCookie) error {
	e := t.command(abi.SizeofPtrCookie)
	e.PtrCookie(c, node)
	return t.queue(&e)
}

func (t *IPCThreadState) queueDeath(c abi.Command, handle uint32, cookie uint64) error {
	e := t.command(abi.SizeofHandleCookie)
	e.HandleCookie(c, abi.NewHandleCookie(handle, cookie))
	return t.queue(&e)
}

func (t *IPCThreadState) queueTransaction(c abi.Command, tr *abi.TransactionData) error {
	e := t.command(abi.SizeofTransactionData)
	e.Transaction(c, tr)
	return t.queue(&e)
}

// flush writes what is queued, without reading.
func (t *IPCThreadState) flush() error {
	if t.written == 0 {
		return nil
	}
	if err := t.begin(); err != nil {
		return err
	}
	defer t.end()
	return t.talk(0)
}

// next is the next return of the driver. It writes what is queued and reads,
// which may block, when everything read before has been acted on. It is
// ErrClosed once the process is closing. A read that a signal interrupted counts
// as BR_NOOP: the driver may have sent the thread home at the same time, and
// would not do so again.
func (t *IPCThreadState) next() (abi.Return, []byte, error) {
	for {
		ret, payload, err := t.in.Next()
		if err == nil {
			return ret, payload, nil
		}
		if err != io.EOF {
			return 0, nil, fmt.Errorf("binder: what the driver said: %w", err)
		}
		if t.ps.closing.Load() {
			return 0, nil, ErrClosed
		}
		if err := t.talk(inSize); err != nil {
			return 0, nil, err
		}
		if t.read == 0 {
			return abi.BR_NOOP, nil, nil
		}
	}
}

// talk is talkWithDriver: one BINDER_WRITE_READ of all that is queued and, if
// readSize is not 0, for up to that many bytes. A signal interrupts only the
// read; what was written stays written.
func (t *IPCThreadState) talk(readSize uint64) error {
	wr := abi.WriteRead{
		WriteSize: uint64(t.written), WriteBuffer: t.address + outAt,
		ReadSize: readSize, ReadBuffer: t.address + inAt,
	}
	wr.Encode(t.memory[writeReadAt:])
	t.counts.Ioctls++
	err := t.ps.file.Ioctl(t.key, uint32(abi.BINDER_WRITE_READ), uintptr(t.address+writeReadAt))
	wr.Decode(t.memory[writeReadAt:])
	t.counts.Written += wr.WriteConsumed
	t.counts.Read += wr.ReadConsumed
	t.consumed(int(wr.WriteConsumed))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("binder: write and read: %w", err)
	}
	if readSize > 0 {
		t.read = int(wr.ReadConsumed)
		t.in = abi.NewDecoder[abi.Return](t.memory[inAt : inAt+t.read])
	}
	return nil
}

// consumed drops the first n bytes of what was to be written. The driver stops
// behind a transaction that failed, and takes the rest next time.
func (t *IPCThreadState) consumed(n int) {
	out := t.memory[outAt : outAt+t.written]
	n = min(n, len(out))
	copy(out, out[n:])
	t.written -= n
}

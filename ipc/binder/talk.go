package binder

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// room makes room for a command with a payload of size bytes: commands are short,
// and what was written goes out when there is no more.
func (t *IPCThreadState) room(size int) *abi.Encoder[abi.Command] {
	if t.out.Room() < 4+size {
		t.flush()
	}
	return &t.out
}

func (t *IPCThreadState) queueCode(c abi.Command) error {
	t.room(0).Code(c)
	return t.out.Err()
}

func (t *IPCThreadState) queueHandle(c abi.Command, handle uint32) error {
	t.room(4).Uint32(c, handle)
	return t.out.Err()
}

func (t *IPCThreadState) queueUint64(c abi.Command, v uint64) error {
	t.room(8).Uint64(c, v)
	return t.out.Err()
}

func (t *IPCThreadState) queueNode(c abi.Command, node abi.PtrCookie) error {
	t.room(abi.SizeofPtrCookie).PtrCookie(c, node)
	return t.out.Err()
}

func (t *IPCThreadState) queueDeath(c abi.Command, handle uint32, cookie uint64) error {
	t.room(abi.SizeofHandleCookie).HandleCookie(c, abi.NewHandleCookie(handle, cookie))
	return t.out.Err()
}

func (t *IPCThreadState) queueTransaction(c abi.Command, tr *abi.TransactionData) error {
	t.room(abi.SizeofTransactionData).Transaction(c, tr)
	return t.out.Err()
}

// flush writes what is queued, without reading.
func (t *IPCThreadState) flush() error {
	if t.out.Len() == 0 {
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
	if !t.in.More() {
		if t.ps.closing.Load() {
			return 0, nil, ErrClosed
		}
		if err := t.talk(inSize); err != nil {
			return 0, nil, err
		}
		if !t.in.More() {
			return abi.BR_NOOP, nil, nil
		}
	}
	ret, payload, err := t.in.Next()
	if err != nil {
		return 0, nil, fmt.Errorf("binder: what the driver said: %w", err)
	}
	return ret, payload, nil
}

// talk is talkWithDriver: one BINDER_WRITE_READ of all that is queued and, if
// readSize is not 0, for up to that many bytes. A signal interrupts only the
// read; what was written stays written.
func (t *IPCThreadState) talk(readSize uint64) error {
	wr := abi.WriteRead{
		WriteSize: uint64(t.out.Len()), WriteBuffer: t.address + outAt,
		ReadSize: readSize, ReadBuffer: t.address + inAt,
	}
	wr.Encode(t.memory[writeReadAt:])
	t.counts.Ioctls++
	err := t.ps.file.Ioctl(t.key, uint32(abi.BINDER_WRITE_READ), uintptr(t.address+writeReadAt))
	written, read := abi.Consumed(t.memory[writeReadAt:])
	t.counts.Written += written
	t.counts.Read += read
	t.out.Drop(int(min(written, uint64(t.out.Len())))) // the driver stops behind a transaction that failed
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("binder: write and read: %w", err)
	}
	if readSize > 0 {
		t.in = abi.NewDecoder[abi.Return](behindNoop(t.memory[inAt : inAt+read]))
	}
	return nil
}

// behindNoop is what a read returned behind the BR_NOOP that each begins with, if
// that is not all.
func behindNoop(in []byte) []byte {
	if len(in) > 4 && abi.Return(abi.Uint32(in)) == abi.BR_NOOP {
		return in[4:]
	}
	return in
}

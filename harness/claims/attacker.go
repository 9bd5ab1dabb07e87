package claims

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"ipcbench/harness/claims/cast"
	"ipcbench/internal/sys"
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
)

// An attacker sends messages to a victim and does to them, or to itself, what a
// process can do with its own memory. An intruder is one that sends nothing.
var attackerPart = cast.Register("attacker", playAttacker)

// attackerProps say how the attacker sets out.
type attackerProps struct {
	segment
	// Forge is how it pretends to be forged: "fields" fills in the fields of its
	// commands, "memory" replaces what it finds of its identity in all memory that
	// it can write, and "" is honest.
	Forge string
}

// forged is who a forger pretends to be.
var forged = identity{PID: 1, UID: 4242}

// deed is what an attacker did.
type deed struct {
	// How it got at the memory of the message, or "".
	How string
	// Errno is what it got instead, or "".
	Errno string
}

// messageSize is how long the messages are, in bytes.
const messageSize = 16 << 10

// attacker is a process with a message in memory of its own.
type attacker struct {
	stage   *cast.Stage
	props   attackerProps
	segment []byte // nil on Binder
	message []byte
	count   uint64 // of what was written
	ps      *binder.ProcessState
	sent    chan error
	calm    chan struct{} // taken from to end a storm; nil without one
}

func playAttacker(stage *cast.Stage) (err error) {
	a := &attacker{stage: stage, sent: make(chan error, 1)}
	if err := stage.Props(&a.props); err != nil {
		return err
	}
	leave, err := a.enter()
	if err != nil {
		var errno unix.Errno
		if errors.As(err, &errno) {
			return stage.Say(deed{Errno: unix.ErrnoName(errno)})
		}
		return err
	}
	err = stage.Say(deed{})
	for err == nil {
		var order attackOrder
		if err = stage.Hear(&order); err == nil {
			err = a.obey(order)
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	a.settle()
	return errors.Join(err, leave())
}

// enter opens the device, or attaches the segment.
func (a *attacker) enter() (leave func() error, err error) {
	if a.props.ID != 0 {
		if a.segment, err = unix.SysvShmAttach(a.props.ID, 0, 0); err != nil {
			return nil, err
		}
		a.message = a.segment[senderSize:]
		return func() error { return unix.SysvShmDetach(a.segment) }, nil
	}
	a.message, err = unix.Mmap(-1, 0, messageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, err
	}
	dev, err := a.stage.Open()
	if err != nil {
		return nil, err
	}
	used := dev
	if a.props.Forge == "fields" {
		used = forger{dev}
	}
	if a.ps, err = binder.Open(used, binder.WithMaxThreads(0)); err != nil {
		return nil, errors.Join(err, closeDevice(dev))
	}
	if a.props.Forge == "memory" {
		if err := replaceIdentity(); err != nil {
			return nil, err
		}
	}
	return func() error { return errors.Join(a.ps.Close(), closeDevice(dev)) }, nil
}

func (a *attacker) obey(order attackOrder) error {
	d := deed{}
	switch order.Do {
	case "send":
		a.write(a.message)
		a.send()
	case "rewrite":
		a.write(a.message)
	case "storm":
		a.calm = make(chan struct{})
		go a.storm()
	case "half":
		a.write(a.message[:len(a.message)/2])
	case "sent":
		d.Errno = errnoName(<-a.sent)
	case "raw":
		d.How, d.Errno = reach(order.Target, order.Address)
	}
	return a.stage.Say(d)
}

// write fills memory with a word that was not used before.
func (a *attacker) write(b []byte) {
	a.count++
	for i := 0; i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], uint64(os.Getpid())<<32|a.count)
	}
}

// storm rewrites the message until it is settled.
func (a *attacker) storm() {
	for {
		select {
		case a.calm <- struct{}{}:
			return
		default:
			a.write(a.message)
		}
	}
}

// settle ends a storm.
func (a *attacker) settle() {
	if a.calm != nil {
		<-a.calm
	}
}

// send sends the message without waiting for the answer, on a thread of its own:
// not the first, whose id is the process's.
func (a *attacker) send() {
	if a.segment != nil {
		claimed := identity{int32(os.Getpid()), uint32(os.Geteuid())}
		if a.props.Forge != "" {
			claimed = forged
		}
		putSender(a.segment, claimed)
		a.sent <- nil
		return
	}
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() {
			a.send()
			select {} // locked: otherwise the other goroutine might come here, too
		}
		defer runtime.UnlockOSThread()
		t, err := a.ps.Attach()
		if err != nil {
			a.sent <- err
			return
		}
		defer t.Detach()
		_, err = t.TransactBytes(0, binder.FirstCallTransaction, a.message, 0)
		a.sent <- err
	}()
}

// In a segment, the sender says who it is in front of the message: nobody else
// does.
const senderSize = 16

func putSender(segment []byte, who identity) {
	binary.LittleEndian.PutUint32(segment, uint32(who.PID))
	binary.LittleEndian.PutUint32(segment[4:], who.UID)
}

func senderIn(segment []byte) identity {
	return identity{int32(binary.LittleEndian.Uint32(segment)), binary.LittleEndian.Uint32(segment[4:])}
}

// forger is a device whose files fill in who the sender of a transaction is.
type forger struct{ device.Device }

// Open opens the device.
func (f forger) Open(flags int) (device.File, error) {
	file, err := f.Device.Open(flags)
	return forgerFile{file}, err
}

type forgerFile struct{ device.File }

// Ioctl fills in the sender of each transaction among the commands.
func (f forgerFile) Ioctl(thread int32, cmd uint32, arg uintptr) error {
	if abi.Ioctl(cmd) == abi.BINDER_WRITE_READ {
		var bwr abi.WriteRead
		bwr.Decode(sys.BytesAt(arg, abi.SizeofWriteRead))
		forgeSender(sys.BytesAt(uintptr(bwr.WriteBuffer), int(bwr.WriteSize)))
	}
	return f.File.Ioctl(thread, cmd, arg)
}

func forgeSender(commands []byte) {
	d := abi.NewDecoder[abi.Command](commands)
	for {
		code, payload, err := d.Next()
		if err != nil {
			return
		}
		if code == abi.BC_TRANSACTION {
			var tr abi.TransactionData
			tr.Decode(payload)
			tr.SenderPID, tr.SenderEUID = forged.PID, forged.UID
			tr.Encode(payload)
		}
	}
}

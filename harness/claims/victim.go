package claims

import (
	"bytes"
	"errors"
	"io"
	"runtime/debug"
	"slices"

	"golang.org/x/sys/unix"

	"ipcbench/harness/claims/cast"
	"ipcbench/internal/sys"
	"ipcbench/ipc/binder"
)

// A victim receives messages, and tells what it sees of each while it has it: as
// the context manager of a Binder device, or in a SysV shared memory segment.
var victimPart = cast.Register("victim", playVictim)

// identity is who a message is from, as its receiver can know it.
type identity struct {
	PID int32
	UID uint32
}

// attackOrder is what the experiment tells a victim, attacker or intruder to do.
type attackOrder struct {
	Do string
	// Target is the memory that the message lies in, as the victim maps it, and
	// Address where, for attacks on it.
	Target  mapping
	Address uint64
}

// sight is what a victim sees of a message.
type sight struct {
	// Region is the mapping that the message lies in, and Address where.
	Region  mapping
	Address uint64
	Sender  identity
	// Changed is how many words differ from when the message was last looked at.
	Changed int
	// Looks is how often it was watched, and Differing how many of the looks saw
	// it change.
	Looks, Differing int
	// Torn: words of different messages lie side by side.
	Torn bool
	// Errno is what came of an attempt on the message, "" if it was done.
	Errno string
}

// segment says where a SysV shared memory segment is; 0 stands for a Binder
// device instead.
type segment struct{ ID int }

// victim is a receiver with at most one message.
type victim struct {
	stage   *cast.Stage
	orders  chan attackOrder
	message []byte
	before  []byte
	sender  identity
}

func playVictim(stage *cast.Stage) error {
	var s segment
	if err := stage.Props(&s); err != nil {
		return err
	}
	v := &victim{stage: stage, orders: make(chan attackOrder)}
	if s.ID != 0 {
		return v.watchSegment(s)
	}
	dev, err := stage.Open()
	if err != nil {
		return err
	}
	ps, err := binder.Open(dev, binder.WithMaxThreads(0))
	if err != nil {
		return errors.Join(err, closeDevice(dev))
	}
	object := ps.NewBytesBinder(v)
	if err = ps.BecomeContextManager(object); err == nil {
		err = ps.StartThreadPool()
	}
	if err == nil {
		err = stage.Say(sight{})
	}
	if err == nil {
		err = v.listen()
	}
	close(v.orders)
	return errors.Join(err, ps.Close(), closeDevice(dev))
}

// listen passes orders on to the handler, until the experiment ends.
func (v *victim) listen() error {
	for {
		var order attackOrder
		if err := v.stage.Hear(&order); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		v.orders <- order
	}
}

// OnBytes receives a message through Binder, and keeps it until it is told to go
// on.
func (v *victim) OnBytes(call *binder.Call, request []byte) ([]byte, error) {
	v.receive(request, identity{call.SenderPID, call.SenderEUID})
	if err := v.tell(0, ""); err != nil {
		return nil, err
	}
	for order := range v.orders {
		if order.Do == "go" {
			return nil, nil
		}
		if err := v.obey(order); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// watchSegment attaches a segment and obeys. A message is there when the
// experiment says so: the segment itself tells nobody.
func (v *victim) watchSegment(s segment) error {
	memory, err := unix.SysvShmAttach(s.ID, 0, 0)
	if err != nil {
		return err
	}
	defer unix.SysvShmDetach(memory)
	if err := v.stage.Say(sight{}); err != nil {
		return err
	}
	go func() {
		v.listen()
		close(v.orders)
	}()
	for order := range v.orders {
		switch order.Do {
		case "go":
			continue
		case "receive":
			v.receive(memory[senderSize:], senderIn(memory))
			err = v.tell(0, "")
		default:
			err = v.obey(order)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *victim) receive(message []byte, from identity) {
	v.message, v.before, v.sender = message, slices.Clone(message), from
}

// obey does something with the message, and tells what it sees then.
func (v *victim) obey(order attackOrder) error {
	errno := ""
	switch order.Do {
	case "watch":
		looks, differing := v.watch()
		return v.stage.Say(sight{Looks: looks, Differing: differing})
	case "store":
		errno = store(v.message)
	case "protect":
		errno = protect(v.message)
	}
	now := slices.Clone(v.message)
	changed := 0
	for i := 0; i+8 <= len(now); i += 8 {
		if string(now[i:i+8]) != string(v.before[i:i+8]) {
			changed++
		}
	}
	v.before = now
	return v.tell(changed, errno)
}

// A victim watches its message so often, and no longer when so many looks differ.
const (
	doubleLooks = 20000
	enoughLooks = 100
)

// watch looks at the message twice, again and again, and counts how often the second
// look shows something else.
func (v *victim) watch() (looks, differing int) {
	first, second := make([]byte, len(v.message)), make([]byte, len(v.message))
	for looks < doubleLooks && differing < enoughLooks {
		copy(first, v.message)
		copy(second, v.message)
		looks++
		if !bytes.Equal(first, second) {
			differing++
		}
	}
	return looks, differing
}

func (v *victim) tell(changed int, errno string) error {
	at := sys.Address(v.message)
	region, err := mappingAt(at)
	if err != nil {
		return err
	}
	return v.stage.Say(sight{Region: region, Address: at, Sender: v.sender, Changed: changed,
		Torn: torn(v.message), Errno: errno})
}

// torn reports a message that is not all of one kind: its words are the same.
func torn(message []byte) bool {
	for i := 8; i+8 <= len(message); i += 8 {
		if string(message[i:i+8]) != string(message[:8]) {
			return true
		}
	}
	return false
}

// store stores to memory, and says "SIGSEGV" if that is what comes of it.
func store(b []byte) (errno string) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			errno = "SIGSEGV"
		}
	}()
	b[0] = ^b[0]
	return ""
}

// protect makes the page that b begins on writable.
func protect(b []byte) string {
	page := uint64(unix.Getpagesize())
	return errnoName(sys.ProtectAt(uintptr(sys.Address(b)&^(page-1)), int(page), unix.PROT_READ|unix.PROT_WRITE))
}

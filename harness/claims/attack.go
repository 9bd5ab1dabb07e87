package claims

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"ipcbench/harness/claims/cast"
)

// field is a medium under attack.
type field interface {
	victim() (*cast.Actor, error)
	// attacker starts one, as another user if user is not 0.
	attacker(forge string, user uint32) (*cast.Actor, error)
	// arrive waits until the victim sees what the attacker has sent.
	arrive(victim *cast.Actor) (sight, error)
}

// attacks are made in this order.
var attacks = []struct {
	name string
	raw  bool
	make func(*siege) (fate, error)
}{
	{"sender rewrites the message after sending", false, (*siege).rewrite},
	{"sender never stops rewriting", false, (*siege).storm},
	{"receiver sees a message half written", false, (*siege).half},
	{"receiver stores to the message", false, (*siege).store},
	{"receiver makes the message writable", false, (*siege).protect},
	{"sender says it is somebody else", false, func(s *siege) (fate, error) { return s.forge("fields") }},
	{"sender writes to the receiver's memory", true, (*siege).senderReaches},
	{"third process of the user writes to it", true, (*siege).intruderReaches},
	{"process of another user writes to it", true, (*siege).foreigner},
	{"sender replaces its identity in memory", true, (*siege).forgeMemory},
}

// siege is a victim with a message from an attacker.
type siege struct {
	field  field
	victim *cast.Actor
	sender *cast.Actor
	last   sight
}

// attackAll makes all attacks on a field.
func attackAll(f field) (all []fate, err error) {
	for _, a := range attacks {
		o, err := attackOnce(f, a.make)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		all = append(all, o)
	}
	return all, nil
}

// attackOnce makes an attack with actors of its own.
func attackOnce(f field, make func(*siege) (fate, error)) (o fate, err error) {
	s := &siege{field: f}
	if s.victim, err = f.victim(); err != nil {
		return o, err
	}
	defer closing(s.victim.End, &err)
	if err = s.victim.Hear(&s.last); err != nil {
		return o, err
	}
	return make(s)
}

// deliver has an attacker send a message, which the victim then has.
func (s *siege) deliver(forge string) (end func() error, err error) {
	if s.sender, err = s.field.attacker(forge, 0); err != nil {
		return nil, err
	}
	end = func() error {
		err := s.victim.Say(attackOrder{Do: "go"})
		if forge == "memory" { // it need not be able to end in order
			s.sender.Kill()
			return err
		}
		return errors.Join(err, s.sender.End())
	}
	var d deed
	if err = s.sender.Hear(&d); err == nil {
		err = s.sender.Ask(attackOrder{Do: "send"}, &d)
	}
	if err == nil {
		s.last, err = s.field.arrive(s.victim)
	}
	return end, err
}

// look has the victim do something, and tell what it sees.
func (s *siege) look(do string) (err error) {
	return s.victim.Ask(attackOrder{Do: do}, &s.last)
}

// changed is the outcome where the victim sees that its message changed, or not.
func (s *siege) changed(how string) (fate, error) {
	if err := s.look("look"); err != nil {
		return fate{}, err
	}
	if s.last.Changed > 0 {
		return fate{Fell: true, Happened: strings.TrimPrefix(how+": the message changed before the receiver's eyes", ": ")}, nil
	}
	return fate{Happened: strings.TrimPrefix(how+": the receiver's message stayed as it was", ": ")}, nil
}

func (s *siege) rewrite() (o fate, err error) {
	end, err := s.deliver("")
	if end != nil {
		defer closing(end, &err)
	}
	if err == nil {
		err = s.sender.Ask(attackOrder{Do: "rewrite"}, new(deed))
	}
	if err != nil {
		return o, err
	}
	return s.changed("")
}

// storm has the sender rewrite its message all the time, while the victim looks at
// its own twice, again and again.
func (s *siege) storm() (o fate, err error) {
	end, err := s.deliver("")
	if end != nil {
		defer closing(end, &err)
	}
	if err == nil {
		err = s.sender.Ask(attackOrder{Do: "storm"}, new(deed))
	}
	if err == nil {
		err = s.look("watch")
	}
	return fate{Fell: s.last.Differing > 0,
		Happened: fmt.Sprintf("of %d double looks %d differ", s.last.Looks, s.last.Differing)}, err
}

// half has the sender begin its next message while the victim has one.
func (s *siege) half() (o fate, err error) {
	end, err := s.deliver("")
	if end != nil {
		defer closing(end, &err)
	}
	if err == nil {
		err = s.sender.Ask(attackOrder{Do: "half"}, new(deed))
	}
	if err == nil {
		err = s.look("look")
	}
	if s.last.Torn {
		return fate{Fell: true, Happened: "half of one message beside half of the next, and nothing that says so"}, err
	}
	return fate{Happened: "a message is there as a whole, or not at all"}, err
}

func (s *siege) store() (o fate, err error)   { return s.harm("store", "stored") }
func (s *siege) protect() (o fate, err error) { return s.harm("protect", "made writable") }

// harm has the victim do something to its own message.
func (s *siege) harm(do, done string) (o fate, err error) {
	end, err := s.deliver("")
	if end != nil {
		defer closing(end, &err)
	}
	if err == nil {
		err = s.look(do)
	}
	if s.last.Errno == "" {
		return fate{Fell: true, Happened: done}, err
	}
	return fate{Happened: s.last.Errno}, err
}

// forge has an attacker send as somebody else. One that does not survive what it
// does to its own memory proves nothing.
func (s *siege) forge(how string) (o fate, err error) {
	end, err := s.deliver(how)
	if end != nil {
		defer closing(end, &err)
	}
	var death *cast.Death
	if errors.As(err, &death) {
		return fate{Untried: "the sender died of what it did to its own memory"}, nil
	}
	if err != nil {
		return o, err
	}
	switch s.last.Sender {
	case forged:
		return fate{Fell: true, Happened: "the receiver believes it"}, nil
	case identity{int32(s.sender.PID()), uint32(os.Geteuid())}:
		return fate{Happened: "the receiver is told who it was"}, nil
	}
	return fate{Fell: true, Happened: fmt.Sprintf("the receiver is told of process %d, user %d", s.last.Sender.PID, s.last.Sender.UID)}, nil
}

// tellingPID is above the numbers that programs are full of: a lower process id
// would be mistaken for them, and the attacker would destroy itself.
const tellingPID = 5000

// forgeMemory is forge by a process with an id that can be told from other numbers.
func (s *siege) forgeMemory() (fate, error) {
	for last := 0; last < tellingPID; { // each new thread takes the next id
		id := make(chan int)
		go func() {
			runtime.LockOSThread() // a locked thread ends with its goroutine
			id <- unix.Gettid()
		}()
		last = <-id
	}
	return s.forge("memory")
}

// nobody is the user of an attacker that may not get in.
const nobody = 65534

// foreigner is a process of another user. To be let in is no harm by itself: that is
// for the permissions of the device to say.
func (s *siege) foreigner() (o fate, err error) {
	if os.Geteuid() != 0 {
		return fate{Untried: "only root can start a process of another user"}, nil
	}
	return s.intruder(nobody)
}

func (s *siege) senderReaches() (o fate, err error) {
	end, err := s.deliver("")
	if end != nil {
		defer closing(end, &err)
	}
	if err != nil {
		return o, err
	}
	return s.reached(s.sender)
}

func (s *siege) intruderReaches() (fate, error) { return s.intruder(0) }

// intruder is a process that sends nothing, of this user or another.
func (s *siege) intruder(user uint32) (o fate, err error) {
	end, err := s.deliver("")
	if end != nil {
		defer closing(end, &err)
	}
	if err != nil {
		return o, err
	}
	a, err := s.field.attacker("", user)
	if err != nil {
		return o, err
	}
	defer closing(a.End, &err)
	var d deed
	if err := a.Hear(&d); err != nil {
		return o, err
	}
	if d.Errno != "" {
		return fate{Happened: "not let in: " + d.Errno}, nil
	}
	return s.reached(a)
}

// reached has an actor write to the victim's memory, if it can.
func (s *siege) reached(by *cast.Actor) (fate, error) {
	var d deed
	if err := by.Ask(attackOrder{Do: "raw", Target: s.last.Region, Address: s.last.Address}, &d); err != nil {
		return fate{}, err
	}
	if d.How != "" {
		return s.changed("by " + d.How)
	}
	return s.changed(d.Errno)
}

// binderField is a Binder device.
type binderField struct{ context *session }

func (f *binderField) victim() (*cast.Actor, error) { return f.context.start(victimPart, segment{}) }

func (f *binderField) attacker(forge string, user uint32) (*cast.Actor, error) {
	return cast.Start(cast.Role{Part: attackerPart, Subject: f.context.subject.Name(), Place: f.context.place,
		Props: attackerProps{Forge: forge}, User: user})
}

func (f *binderField) arrive(victim *cast.Actor) (seen sight, err error) {
	err = victim.Hear(&seen)
	return seen, err
}

// shmField is a SysV shared memory segment, for its owner alone.
type shmField struct{ id int }

// attackSegment makes all attacks on a new segment.
func attackSegment() (all []fate, err error) {
	id, remove, err := newSegment()
	if err != nil {
		return nil, err
	}
	defer closing(remove, &err)
	if id == 0 { // the first of a system; to actors 0 stands for no segment
		second, remove, err := newSegment()
		if err != nil {
			return nil, err
		}
		defer closing(remove, &err)
		id = second
	}
	return attackAll(shmField{id})
}

// newSegment makes a segment for this user alone.
func newSegment() (id int, remove func() error, err error) {
	id, err = unix.SysvShmGet(unix.IPC_PRIVATE, senderSize+messageSize, unix.IPC_CREAT|0o600)
	return id, func() error {
		_, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil)
		return err
	}, err
}

func (f shmField) victim() (*cast.Actor, error) {
	return cast.Start(cast.Role{Part: victimPart, Props: segment{f.id}})
}

func (f shmField) attacker(forge string, user uint32) (*cast.Actor, error) {
	return cast.Start(cast.Role{Part: attackerPart, Props: attackerProps{segment: segment{f.id}, Forge: forge}, User: user})
}

func (f shmField) arrive(victim *cast.Actor) (seen sight, err error) {
	err = victim.Ask(attackOrder{Do: "receive"}, &seen)
	return seen, err
}

// Package cast has the processes of an experiment. An actor is this program,
// started once more with [Argument]; it plays a part on a Binder device and talks
// with the experiment over a control line. What an actor does to itself (it may
// well die of it) does not reach the experiment, which sees how it ended.
package cast

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"ipcbench/harness/control"
	"ipcbench/ipc/binder/device"
)

// Argument is the only argument of a process that is to Run as an actor.
const Argument = "claims-actor"

// patience is how long an answer may take on a busy machine.
const patience = 60 * time.Second

// Part is what an actor does, on its stage, until it returns.
type Part func(*Stage) error

// parts are the parts that this program knows. They are registered when the
// program starts.
var parts = map[string]Part{}

// Register makes a part known under a name and returns the name.
func Register(name string, p Part) string {
	if parts[name] != nil {
		panic("cast: two parts are called " + name)
	}
	parts[name] = p
	return name
}

// Opener opens the Binder device of a place.
type Opener interface {
	Name() string
	Open(place string) (device.Device, error)
}

// call tells an actor its part.
type call struct {
	Part, Subject, Place string
	Props                json.RawMessage
}

// message is what passes on the line.
type message struct {
	Value       json.RawMessage `json:",omitempty"`
	Error       string          `json:",omitempty"`
	Unsupported bool            `json:",omitempty"`
}

// Stage is an actor's own view of an experiment.
type Stage struct {
	call   call
	opener Opener
	line   *control.Conn
	heard  chan json.RawMessage
	mu     sync.Mutex
}

// Run is the life of an actor: it plays the part that it is told, with the
// devices that the openers open, and returns the process's exit status.
func Run(openers []Opener) int {
	s := &Stage{line: control.Open(os.NewFile(3, "control")), heard: make(chan json.RawMessage, 16)}
	if err := s.line.Receive(&s.call, 0); err != nil {
		fmt.Fprintln(os.Stderr, "actor:", err)
		return 2
	}
	for _, o := range openers {
		if o.Name() == s.call.Subject {
			s.opener = o
		}
	}
	part := parts[s.call.Part]
	if part == nil {
		fmt.Fprintln(os.Stderr, "actor: no part", s.call.Part)
		return 2
	}
	go s.listen()
	if err := part(s); err != nil {
		s.send(message{Error: err.Error(), Unsupported: errors.Is(err, errors.ErrUnsupported)})
		return 1
	}
	return 0
}

// grace is how long an actor may take to end after its line has ended.
const grace = 10 * time.Second

// listen takes in what the experiment says, to the end of the line. An actor that
// does not end then, because it waits for something that will not come any more,
// is ended.
func (s *Stage) listen() {
	for {
		var m message
		if s.line.Receive(&m, 0) != nil {
			close(s.heard)
			time.Sleep(grace)
			os.Exit(3)
		}
		s.heard <- m.Value
	}
}

// Open opens the device of the experiment. An actor without a subject has none.
func (s *Stage) Open() (device.Device, error) {
	if s.opener == nil {
		return nil, fmt.Errorf("no device %q: %w", s.call.Subject, errors.ErrUnsupported)
	}
	return s.opener.Open(s.call.Place)
}

// Props are what the experiment gave the actor for its part.
func (s *Stage) Props(v any) error { return json.Unmarshal(s.call.Props, v) }

// Say tells the experiment something. It may be called from several goroutines.
func (s *Stage) Say(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.send(message{Value: b})
}

func (s *Stage) send(m message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.line.Send(m)
}

// Hear waits for what the experiment says next; at the end of the line it
// returns io.EOF.
func (s *Stage) Hear(v any) error {
	raw, ok := <-s.heard
	if !ok {
		return io.EOF
	}
	return json.Unmarshal(raw, v)
}

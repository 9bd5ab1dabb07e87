package wire

import (
	"encoding/binary"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/device"
)

// Page is the memory that a client thread shares with the daemon. Each of its parts
// begins on a cache line of its own.
type Page []byte

// Where things are in a page, in bytes.
const (
	PageSize = 4096

	callsAt    = 0  // bell: the client rings, the daemon listens
	answersAt  = 64 // bell: the daemon rings, the client listens
	requestAt  = 128
	answerAt   = 192
	accountAt  = 256
	argumentAt = 320
	commandsAt = argumentAt + MaxArgument
	returnsAt  = commandsAt + MaxCommands

	// MaxArgument, MaxCommands and MaxReturns are how much of an ioctl's
	// argument, of a stream of commands, and of what a thread reads goes through
	// the page. What is longer is read and written where it is.
	MaxArgument = 64
	MaxCommands = 1536
	MaxReturns  = 1536
)

// Calls is the bell that announces requests.
func (p Page) Calls() Bell { return Bell{sys.Word(p[callsAt:])} }

// Answers is the bell that announces answers.
func (p Page) Answers() Bell { return Bell{sys.Word(p[answersAt:])} }

// Argument, Commands and Returns are the pieces of the client's memory that go
// through the page.
func (p Page) Argument() []byte { return p[argumentAt : argumentAt+MaxArgument] }
func (p Page) Commands() []byte { return p[commandsAt : commandsAt+MaxCommands] }
func (p Page) Returns() []byte  { return p[returnsAt : returnsAt+MaxReturns] }

// RequestKind says what a client asks for.
type RequestKind uint32

// The requests. SetTerse spares the thread the completions of its replies; Answered
// is the client's to an answer that asked it something.
const (
	Ioctl RequestKind = iota + 1
	Poll
	SetTerse
	Answered
)

// Request is what a client writes before it rings. The parts of its memory that
// it has copied to the page are named by address and length.
type Request struct {
	Kind    RequestKind
	Command uint32 // of Ioctl
	// Argument is the argument of Ioctl, the timeout of Poll in nanoseconds, or
	// what was answered.
	Argument uint64

	Commands       uint64 // address
	Returns        uint64 // address
	ArgumentLength uint32
	CommandsLength uint32
	ReturnsLength  uint32 // room
}

const requestSize = 44

// PutRequest writes a request.
func (p Page) PutRequest(r *Request) {
	b := p[requestAt : requestAt+requestSize]
	binary.NativeEndian.PutUint32(b, uint32(r.Kind))
	binary.NativeEndian.PutUint32(b[4:], r.Command)
	binary.NativeEndian.PutUint64(b[8:], r.Argument)
	binary.NativeEndian.PutUint64(b[16:], r.Commands)
	binary.NativeEndian.PutUint64(b[24:], r.Returns)
	binary.NativeEndian.PutUint32(b[32:], r.ArgumentLength)
	binary.NativeEndian.PutUint32(b[36:], r.CommandsLength)
	binary.NativeEndian.PutUint32(b[40:], r.ReturnsLength)
}

// Request reads the request, once.
func (p Page) Request(r *Request) {
	var b [requestSize]byte
	copy(b[:], p[requestAt:])
	r.Kind = RequestKind(binary.NativeEndian.Uint32(b[:]))
	r.Command = binary.NativeEndian.Uint32(b[4:])
	r.Argument = binary.NativeEndian.Uint64(b[8:])
	r.Commands = binary.NativeEndian.Uint64(b[16:])
	r.Returns = binary.NativeEndian.Uint64(b[24:])
	r.ArgumentLength = binary.NativeEndian.Uint32(b[32:])
	r.CommandsLength = binary.NativeEndian.Uint32(b[36:])
	r.ReturnsLength = binary.NativeEndian.Uint32(b[40:])
}

// AnswerKind says what an answer is.
type AnswerKind uint32

// The answers: the end of the call, or something that only the client can do for
// it, after which it asks the daemon to go on.
const (
	Done      AnswerKind = iota + 1
	TakeFile             // receive a descriptor, and say its number
	CloseFile            // close Value
)

// Answer is what the daemon writes before it rings.
type Answer struct {
	Kind  AnswerKind
	Errno uint32
	Value uint64 // of Poll, the events
	// Argument says whether the argument was written to, and From and To which
	// part of the returns.
	Argument uint32 // bytes
	From, To uint32
}

const answerSize = 28

// PutAnswer writes an answer.
func (p Page) PutAnswer(a *Answer) {
	b := p[answerAt : answerAt+answerSize]
	binary.NativeEndian.PutUint32(b, uint32(a.Kind))
	binary.NativeEndian.PutUint32(b[4:], a.Errno)
	binary.NativeEndian.PutUint64(b[8:], a.Value)
	binary.NativeEndian.PutUint32(b[16:], a.Argument)
	binary.NativeEndian.PutUint32(b[20:], a.From)
	binary.NativeEndian.PutUint32(b[24:], a.To)
}

// Answer reads the answer.
func (p Page) Answer(a *Answer) {
	b := p[answerAt : answerAt+answerSize]
	a.Kind = AnswerKind(binary.NativeEndian.Uint32(b))
	a.Errno = binary.NativeEndian.Uint32(b[4:])
	a.Value = binary.NativeEndian.Uint64(b[8:])
	a.Argument = binary.NativeEndian.Uint32(b[16:])
	a.From = binary.NativeEndian.Uint32(b[20:])
	a.To = binary.NativeEndian.Uint32(b[24:])
}

// PutAccount writes what the daemon did for the thread so far.
func (p Page) PutAccount(a *device.Account) {
	b := p[accountAt : accountAt+32]
	binary.NativeEndian.PutUint64(b, a.PayloadFromUser)
	binary.NativeEndian.PutUint64(b[8:], a.HeaderFromUser)
	binary.NativeEndian.PutUint64(b[16:], a.HeaderToUser)
	binary.NativeEndian.PutUint64(b[24:], a.Syscalls)
}

// Account reads it.
func (p Page) Account(a *device.Account) {
	b := p[accountAt : accountAt+32]
	a.PayloadFromUser = binary.NativeEndian.Uint64(b)
	a.HeaderFromUser = binary.NativeEndian.Uint64(b[8:])
	a.HeaderToUser = binary.NativeEndian.Uint64(b[16:])
	a.Syscalls = binary.NativeEndian.Uint64(b[24:])
}

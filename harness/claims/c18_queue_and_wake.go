package claims

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/parcel"
)

var queueAndWake = Tabulating(Define(Meta{
	ID: "C18",
	Statement: "The sender's data goes into a buffer of the target, and as a binder_transaction into the target's queue, which " +
		"wakes the target; the reply comes the same way.",
	Source: "D1 2.2, 3.2",
	Refutation: "A step out of order: a message read before it was queued, queued before it was copied, a sleeper that comes back " +
		"before anybody sent; a step made by the wrong side; or a message to a busy target that is not in its queue.",
	Experiment: "One call of a sleeping server is traced: the ioctls of both sides, and the driver's own steps where it tells of " +
		"them. Then, while the server's only thread is busy, a second call is looked for in the driver's live dump.",
}, measureTrace, judgeTrace), tabulateTrace)

// traceNumbers is what was seen of one call.
type traceNumbers struct {
	// Crossings are the ioctls of client and server in the order of time, as far
	// as the call is concerned.
	Crossings []string
	// Driver: it told of its own steps; those of the request's buffer, and of the
	// reply's, by time.
	Driver         bool
	Request, Reply []tracedStep
	// Dumped: the driver shows its state. Queued calls were in the server's queue
	// while its thread was busy, and Left after it had served them.
	Dumped       bool
	Queued, Left int
	// Events are all of it.
	Events         []traceEvent
	Client, Server int32 // processes
}

// tracedStep is a step of the driver; BySender: the sender's thread made it.
type tracedStep struct {
	Name     string
	BySender bool
}

// callCrossings are the ioctls of a call in their order.
var callCrossings = []string{
	"server sleeps", "client sends BC_TRANSACTION", "server returns with BR_TRANSACTION",
	"server sends BC_REPLY", "client returns with BR_REPLY",
}

// bufferSteps are the steps of a buffer in their order. The last two are the
// receiver's.
var bufferSteps = []tracedStep{{"allocate", true}, {"copy", true}, {"queue", true}, {"wake", true}, {"read", false}, {"free", false}}

func judgeTrace(n traceNumbers) Judgement {
	text := "ioctls: " + strings.Join(n.Crossings, ", ")
	seen := []string{"the ioctls of both sides"}
	if n.Driver {
		text += fmt.Sprintf("; request: %s; reply: %s", stepNames(n.Request), stepNames(n.Reply))
		seen = append(seen, "the driver's own steps")
	}
	if n.Dumped {
		text += fmt.Sprintf("; in the queue of a busy server: %d call, %d after it was served", n.Queued, n.Left)
		seen = append(seen, "its live dump")
	}
	incomplete := n.Driver && (len(n.Request) < len(bufferSteps) || len(n.Reply) < len(bufferSteps))
	switch {
	case len(n.Crossings) < len(callCrossings), incomplete, !n.Driver && !n.Dumped:
		return Judgement{Verdict: Inconclusive, Text: text}
	case !slices.Equal(n.Crossings, callCrossings),
		n.Driver && (!slices.Equal(n.Request, bufferSteps) || !slices.Equal(n.Reply, bufferSteps)),
		n.Dumped && (n.Queued != 1 || n.Left != 0):
		return Judgement{Verdict: Refuted, Text: text}
	}
	return Judgement{Verdict: Supported, Text: text, Confidence: strings.Join(seen, ", ")}
}

func stepNames(steps []tracedStep) string {
	var names []string
	for _, s := range steps {
		side := "receiver"
		if s.BySender {
			side = "sender"
		}
		names = append(names, s.Name+" ("+side+")")
	}
	return strings.Join(names, ", ")
}

const (
	tracedPayload = 1000
	// traceAttempts are made until the server sleeps when the call comes, and the
	// client when the reply does: who is not asleep is not woken.
	traceAttempts = 50
)

func measureTrace(_ context.Context, _ *Bench, subject Subject) (n traceNumbers, err error) {
	s, err := openContext(subject)
	if err != nil {
		return n, err
	}
	defer closing(s.close, &err)
	if err := s.startServant(servantProps{Trace: true}); err != nil {
		return n, err
	}
	dev, err := subject.Open(s.place)
	if err != nil {
		return n, err
	}
	trace := newTracer(dev)
	if err := s.use(trace); err != nil {
		return n, err
	}
	for range traceAttempts {
		if n, err = s.traceCall(trace); err != nil {
			return n, err
		}
		if n.complete() {
			break
		}
	}
	return n, s.queueBehind(&n)
}

// complete reports a trace with all steps in it, in whatever order.
func (n *traceNumbers) complete() bool {
	return len(n.Crossings) == len(callCrossings) &&
		(!n.Driver || len(n.Request) == len(bufferSteps) && len(n.Reply) == len(bufferSteps))
}

// traceCall makes one call of the servant, which sleeps, and gives its reply back.
func (s *session) traceCall(trace *tracer) (n traceNumbers, err error) {
	if _, err := await(s.servantSleeps); err != nil {
		return n, err
	}
	began := sys.Monotonic()
	var data, reply parcel.Parcel
	data.Append(tracedPayload)
	if err := s.thread.Transact(0, codeEcho, &data, &reply, 0); err != nil {
		return n, err
	}
	s.free(&reply)
	if _, err := await(s.servantSleeps); err != nil {
		return n, err
	}
	log, err := s.log()
	if err != nil {
		return n, err
	}
	n.Driver, n.Client, n.Server = trace.tells, int32(unix.Getpid()), int32(s.servant.PID())
	n.Events = callEvents(slices.Concat(log.Events, trace.all()), began, n.Server)
	n.Crossings = crossings(n.Events, n.Client, n.Server)
	n.Request, n.Reply = stepsIn(n.Events, n.Server), stepsIn(n.Events, n.Client)
	return n, nil
}

// servantSleeps reports that the servant's last ioctl has not returned.
func (s *session) servantSleeps() (bool, error) {
	log, err := s.log()
	last := ""
	for _, e := range log.Events {
		if e.crossing() {
			last = e.Name
		}
	}
	return last == "enter", err
}

// callEvents are what happened since a call began, in the order of time, and
// before it the ioctl in which the server slept.
func callEvents(events []traceEvent, began int64, server int32) (call []traceEvent) {
	slices.SortStableFunc(events, func(a, b traceEvent) int { return cmp.Compare(a.At, b.At) })
	var sleep *traceEvent
	for i, e := range events {
		switch {
		case e.At >= began:
			call = append(call, e)
		case e.crossing() && e.PID == server:
			sleep = &events[i]
		}
	}
	if sleep != nil && sleep.Name == "enter" {
		call = slices.Insert(call, 0, *sleep)
	}
	return call
}

// crossings are the ioctls of a call, as callCrossings names them.
func crossings(events []traceEvent, client, server int32) (names []string) {
	for i, e := range events {
		is := func(pid int32, name, code string) bool {
			return e.PID == pid && e.Name == name && slices.Contains(strings.Fields(e.Detail), code)
		}
		switch {
		case i == 0 && e.PID == server && e.Name == "enter":
			names = append(names, callCrossings[0])
		case is(client, "enter", "BC_TRANSACTION"):
			names = append(names, callCrossings[1])
		case is(server, "return", "BR_TRANSACTION"):
			names = append(names, callCrossings[2])
		case is(server, "enter", "BC_REPLY"):
			names = append(names, callCrossings[3])
		case is(client, "return", "BR_REPLY"):
			names = append(names, callCrossings[4])
		}
	}
	return names
}

// stepsIn are the driver's steps with the payload's buffer in a process's region.
func stepsIn(events []traceEvent, owner int32) (steps []tracedStep) {
	for _, e := range events {
		if !e.crossing() && e.Owner == owner && e.Bytes == tracedPayload {
			steps = append(steps, tracedStep{e.Name, e.PID != owner})
		}
	}
	return steps
}

// queueBehind keeps the servant's only thread busy, and looks where a further call
// is.
func (s *session) queueBehind(n *traceNumbers) error {
	pending := func() (int, error) {
		text, err := s.view("state")
		count := 0
		for _, p := range parseDump(text).of(s.servant.PID()) {
			count += p.Pending
		}
		return count, err
	}
	if _, err := pending(); errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	n.Dumped = true
	held := s.call(1, func(*parcel.Parcel) uint32 { return codeHold })
	if _, err := await(func() (bool, error) {
		log, err := s.log()
		return log.Inside == 1, err
	}); err != nil {
		return err
	}
	further := s.call(1, func(*parcel.Parcel) uint32 { return codeEcho })
	_, err := await(func() (ok bool, err error) {
		n.Queued, err = pending()
		return n.Queued > 0, err
	})
	if err := errors.Join(err, s.servant.Ask(servantOrder{Release: 1}, new(servantLog)), held(), further()); err != nil {
		return err
	}
	n.Left, err = pending()
	return err
}

// tabulateTrace is the call as a timeline, a table a subject.
func tabulateTrace(columns []string, numbers []traceNumbers) (tables []Table) {
	for i, n := range numbers {
		t := Table{Title: columns[i] + ": one call of " + fmt.Sprint(tracedPayload) + " bytes",
			Header: []string{"µs", "process", "what", "detail"}}
		for _, e := range n.Events {
			t.Rows = append(t.Rows, []string{fmt.Sprintf("%.1f", float64(e.At-n.Events[0].At)/1000), n.side(e.PID), e.what(), n.detail(e)})
		}
		tables = append(tables, t)
	}
	return tables
}

// detail is what passes in an ioctl, or what the driver's step is about.
func (n *traceNumbers) detail(e traceEvent) string {
	if e.crossing() {
		return e.Detail
	}
	return fmt.Sprintf("%d bytes in the region of the %s", e.Bytes, n.side(e.Owner))
}

func (n *traceNumbers) side(pid int32) string {
	if pid == n.Client {
		return "client"
	}
	return "server"
}

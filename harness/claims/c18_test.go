package claims

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
)

// swapped are steps with two of them exchanged.
func swapped(i, j int) []tracedStep {
	steps := slices.Clone(bufferSteps)
	steps[i], steps[j] = steps[j], steps[i]
	return steps
}

func init() {
	whole := traceNumbers{Crossings: callCrossings, Driver: true, Request: bufferSteps, Reply: bufferSteps, Dumped: true, Queued: 1}
	but := func(change func(*traceNumbers)) traceNumbers {
		n := whole
		change(&n)
		return n
	}
	wrongSide := slices.Clone(bufferSteps)
	wrongSide[1].BySender = false
	register("C18",
		example{"as told", whole, Supported},
		example{"ioctls and dump", but(func(n *traceNumbers) { n.Driver, n.Request, n.Reply = false, nil, nil }), Supported},
		example{"ioctls alone", but(func(n *traceNumbers) { n.Driver, n.Dumped = false, false }), Inconclusive},
		example{"read before it is queued", but(func(n *traceNumbers) { n.Request = swapped(2, 4) }), Refuted},
		example{"queued before it is copied", but(func(n *traceNumbers) { n.Reply = swapped(1, 2) }), Refuted},
		example{"the receiver copies", but(func(n *traceNumbers) { n.Request = wrongSide }), Refuted},
		example{"back before anybody sent", but(func(n *traceNumbers) {
			n.Crossings = []string{callCrossings[0], callCrossings[2], callCrossings[1], callCrossings[3], callCrossings[4]}
		}), Refuted},
		example{"not in the queue", but(func(n *traceNumbers) { n.Queued = 0 }), Refuted},
		example{"stays in the queue", but(func(n *traceNumbers) { n.Left = 1 }), Refuted},
		example{"nobody slept", but(func(n *traceNumbers) { n.Reply = bufferSteps[:5] }), Inconclusive},
	)
}

// sampleEvents are those of a call from process 1 to process 2.
var sampleEvents = []traceEvent{
	{At: 50, PID: 2, TID: 2, Name: "enter"},
	{At: 40, PID: 2, TID: 2, Name: "return", Detail: "BR_NOOP"},
	{At: 100, PID: 1, TID: 1, Name: "enter", Detail: "BC_TRANSACTION"},
	{At: 110, PID: 1, TID: 1, Name: "allocate", Owner: 2, Buffer: 64, Bytes: tracedPayload},
	{At: 120, PID: 1, TID: 1, Name: "queue", Owner: 2, Buffer: 64, Bytes: tracedPayload},
	{At: 121, PID: 1, TID: 1, Name: "queue", Owner: 2, Buffer: 64, Bytes: 4},
	{At: 130, PID: 2, TID: 2, Name: "read", Owner: 2, Buffer: 64, Bytes: tracedPayload},
	{At: 140, PID: 2, TID: 2, Name: "return", Detail: "BR_NOOP BR_TRANSACTION_COMPLETE BR_TRANSACTION"},
	{At: 150, PID: 2, TID: 2, Name: "enter", Detail: "BC_FREE_BUFFER BC_REPLY"},
	{At: 160, PID: 2, TID: 2, Name: "return", Detail: "BR_NOOP BR_TRANSACTION_COMPLETE"},
	{At: 170, PID: 1, TID: 1, Name: "return", Detail: "BR_NOOP BR_TRANSACTION_COMPLETE BR_REPLY"},
}

func TestCallEvents(t *testing.T) {
	events := callEvents(slices.Clone(sampleEvents), 100, 2)
	if len(events) != len(sampleEvents)-1 || events[0].At != 50 {
		t.Fatalf("%+v", events)
	}
	if got := crossings(events, 1, 2); !slices.Equal(got, callCrossings) {
		t.Errorf("crossings %q", got)
	}
	if got, want := stepsIn(events, 2), []tracedStep{{"allocate", true}, {"queue", true}, {"read", false}}; !slices.Equal(got, want) {
		t.Errorf("steps %v, want %v", got, want)
	}
	awake := callEvents([]traceEvent{{At: 50, PID: 2, Name: "enter"}, {At: 60, PID: 2, Name: "return"}, {At: 100, PID: 1, Name: "enter"}}, 100, 2)
	if len(awake) != 1 {
		t.Errorf("a server that did not sleep: %+v", awake)
	}
}

func TestChromeTrace(t *testing.T) {
	numbers, err := json.Marshal(traceNumbers{Events: callEvents(slices.Clone(sampleEvents), 100, 2), Client: 1, Server: 2})
	if err != nil {
		t.Fatal(err)
	}
	r := &Report{Claims: []Outcome{{ID: "C18", Order: []string{"binder", "binder-kernel"},
		Columns: map[string]Column{"binder": {Evidence: Evidence{Numbers: numbers}}, "binder-kernel": {}}}}}
	b, err := ChromeTrace(r)
	if err != nil {
		t.Fatal(err)
	}
	var trace struct{ TraceEvents []chromeEvent }
	if err := json.Unmarshal(b, &trace); err != nil {
		t.Fatal(err)
	}
	phases := map[string]int{}
	for _, e := range trace.TraceEvents {
		phases[e.Phase]++
	}
	// Three ioctls: that in which the server slept, the call, and the reply.
	if phases["M"] != 2 || phases["B"] != 3 || phases["E"] != 3 || phases["i"] != 4 || phases["s"] != 2 || phases["f"] != 1 {
		t.Errorf("phases %v", phases)
	}
	if _, err := ChromeTrace(&Report{}); !errors.Is(err, ErrNoTrace) {
		t.Errorf("no trace: %v", err)
	}
}

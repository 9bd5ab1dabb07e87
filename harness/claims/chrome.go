package claims

import (
	"encoding/json"
	"errors"
	"fmt"
)

// chromeEvent is an event of the Chrome trace-event format, in which chrome://tracing
// and Perfetto read traces. Times are in microseconds.
type chromeEvent struct {
	Name  string         `json:"name"`
	Phase string         `json:"ph"`
	Time  float64        `json:"ts"`
	PID   int32          `json:"pid"`
	TID   int32          `json:"tid"`
	Scope string         `json:"s,omitempty"`
	ID    uint64         `json:"id,omitempty"`
	Bind  string         `json:"bp,omitempty"`
	Kind  string         `json:"cat,omitempty"`
	Args  map[string]any `json:"args,omitempty"`
}

// ErrNoTrace reports a report without a traced call.
var ErrNoTrace = errors.New("no call was traced: claim C18 is not in the report")

// ChromeTrace is the traced calls of a report in the Chrome trace-event format, one
// after the other, each beginning at 0. The error may be ErrNoTrace.
func ChromeTrace(r *Report) ([]byte, error) {
	o := r.Find(queueAndWake.ID)
	if o == nil {
		return nil, ErrNoTrace
	}
	events := []chromeEvent{}
	for i, name := range o.Order {
		var n traceNumbers
		if raw := o.Columns[name].Evidence.Numbers; raw == nil || json.Unmarshal(raw, &n) != nil || len(n.Events) == 0 {
			continue
		}
		events = append(events, n.chrome(name, int32(i))...)
	}
	if len(events) == 0 {
		return nil, ErrNoTrace
	}
	return json.MarshalIndent(map[string]any{"traceEvents": events, "displayTimeUnit": "ns"}, "", " ")
}

// chrome is the events of one subject. Its processes get numbers of their own,
// since one process is the client of all.
func (n *traceNumbers) chrome(subject string, index int32) (all []chromeEvent) {
	number := func(pid int32) int32 {
		if pid == n.Client {
			return 10*index + 1
		}
		return 10*index + 2
	}
	for _, pid := range []int32{n.Client, n.Server} {
		all = append(all, chromeEvent{Name: "process_name", Phase: "M", PID: number(pid),
			Args: map[string]any{"name": fmt.Sprintf("%s: %s (%d)", subject, n.side(pid), pid)}})
	}
	for _, e := range n.Events {
		c := chromeEvent{Name: e.Name, Phase: "i", Scope: "t", Time: float64(e.At-n.Events[0].At) / 1000,
			PID: number(e.PID), TID: e.TID, Kind: "driver"}
		switch e.Name {
		case "enter":
			c.Name, c.Phase, c.Scope, c.Kind = "ioctl "+e.Detail, "B", "", "ioctl"
		case "return":
			c.Name, c.Phase, c.Scope, c.Kind = "ioctl", "E", "", "ioctl"
			c.Args = map[string]any{"returns": e.Detail}
		default:
			c.Args = map[string]any{"bytes": e.Bytes, "buffer": fmt.Sprintf("%#x", e.Buffer), "region of": n.side(e.Owner)}
		}
		all = append(all, c)
		if arrow, ok := n.arrow(e, c); ok {
			all = append(all, arrow)
		}
	}
	return all
}

// arrow goes from where a transaction is queued to where it is read.
func (n *traceNumbers) arrow(e traceEvent, at chromeEvent) (chromeEvent, bool) {
	at.Name, at.Kind, at.Args, at.Scope, at.ID = "transaction", "transaction", nil, "", e.Buffer
	switch e.Name {
	case "queue":
		at.Phase = "s"
		return at, true
	case "read":
		at.Phase, at.Bind = "f", "e"
		return at, true
	}
	return at, false
}

package harness

import (
	"time"

	"ipcbench/ipc"
	"ipcbench/ipc/copies"
)

// protocolVersion is raised with every change of the messages below that an
// older or newer build would misread: agents of another build are asked for it.
const protocolVersion = 1

// What harness and worker say to each other over the control channel. A worker
// gets one assignment and then sessions; it answers each order once, or twice
// where it first reports that it is ready.

// role is what a worker process is.
type role string

const (
	serverRole role = "server"
	clientRole role = "client"
	brokerRole role = "broker"
	// agentRole holds a whole channel, workers of its own build included.
	agentRole role = "agent"
)

// assignment is the first order to a worker; the handover's files are
// inherited, in order, after the control channel.
type assignment struct {
	Transport string     `json:"transport"`
	Role      role       `json:"role"`
	Config    ipc.Config `json:"config"`
	Data      []byte     `json:"data,omitempty"`
	Files     int        `json:"files"`
	// Placement of an agent's workers.
	Placement string `json:"placement,omitempty"`
}

// mode is what a session does with its operations.
type mode string

const (
	// timedMode touches every cache line and records latencies.
	timedMode mode = "timed"
	// bareMode only calls, and records latencies: for floors that carry
	// nothing.
	bareMode mode = "bare"
	// verifyMode fills and checks every byte.
	verifyMode mode = "verify"
	// canaryMode makes one operation of random bytes and holds still, so that
	// both processes' memory can be searched for them.
	canaryMode mode = "canary"
	// absentMode makes no operation: it is for the clients beside the one whose
	// random bytes are searched for.
	absentMode mode = "absent"
)

// session is an order to serve, or to make operations, until the clients stop.
type session struct {
	Mode    mode `json:"mode"`
	OneWay  bool `json:"one_way,omitempty"`
	Request int  `json:"request"`
	Reply   int  `json:"reply"`
	// Start is when the clients begin, on CLOCK_MONOTONIC in nanoseconds: 0
	// is at once.
	Start int64 `json:"start,omitempty"`
	// WarmUp is run before the clock, Time or, where set, Operations on it.
	WarmUp     time.Duration `json:"warm_up,omitempty"`
	Time       time.Duration `json:"time,omitempty"`
	Operations int           `json:"operations,omitempty"`
	// Rate in operations a second of this client; Gap before each operation.
	Rate float64       `json:"rate,omitempty"`
	Gap  time.Duration `json:"gap,omitempty"`
	Seed uint64        `json:"seed,omitempty"`
	Injection
	// Gated sessions begin when the harness says go, and keep their threads
	// away from the kernel after the last operation until it says release:
	// what is counted from outside in between is the operations.
	Gated bool `json:"gated,omitempty"`
}

// order is what the harness says.
type order struct {
	Assign  *assignment `json:"assign,omitempty"`
	Session *session    `json:"session,omitempty"`
	Go      bool        `json:"go,omitempty"`
	Release bool        `json:"release,omitempty"`
	// Rest tells an ipc.Resting broker that the session's clients have stopped.
	Rest bool `json:"rest,omitempty"`
	Quit bool `json:"quit,omitempty"`
}

// answer is what a worker says.
type answer struct {
	Error string `json:"error,omitempty"`
	// Protocol is the worker's protocolVersion, in its first answer.
	Protocol int `json:"protocol,omitempty"`
	// Ready answers an assignment, a server's session that is now being
	// served, and a client's that waits at its gate.
	Ready bool `json:"ready,omitempty"`
	// Threads that the session's operations run on, by thread id.
	Threads []int `json:"threads,omitempty"`
	// Held answers the last operation of a gated session.
	Held bool `json:"held,omitempty"`
	// Report ends a session.
	Report *report `json:"report,omitempty"`
}

// report is what one worker's session gave.
type report struct {
	Operations     uint64 `json:"operations"`
	CostOperations uint64 `json:"cost_operations"`
	Began          int64  `json:"began,omitempty"` // CLOCK_MONOTONIC
	Ended          int64  `json:"ended,omitempty"`
	Histogram      string `json:"histogram,omitempty"`
	Missed         uint64 `json:"missed,omitempty"`
	Dropped        uint64 `json:"dropped,omitempty"`
	// HugePages: payload was produced on huge pages only.
	HugePages  bool          `json:"huge_pages,omitempty"`
	Mismatches uint64        `json:"mismatches,omitempty"`
	Ledger     copies.Report `json:"ledger"`
	Usage      Usage         `json:"usage"`
	// Threads that served in the session, at its end.
	Threads int `json:"threads,omitempty"`
}

// Package copies counts copies of payload where they happen.
//
// A copy is payload bytes written to a new place between the producer's buffer
// and the consumer's first read. Every place in the code that makes one is a
// [Site]; each end of a channel counts into a [Ledger] of its own, without
// locks or allocation, and a [Report] adds the ledgers of both ends up. Copies
// per direction is payload bytes copied divided by payload bytes delivered.
//
// The ledger belongs to one thread. Known gap: what the kernel copies inside a
// system call is known only as the bytes that the call returned; the harness
// checks those against the kernel's own tracepoints.
package copies

// Direction is the way a message goes.
type Direction uint8

const (
	// Request goes from client to server.
	Request Direction = iota
	// Reply goes from server to client.
	Reply
	directions
)

// String is the name that results use.
func (d Direction) String() string { return [...]string{"request", "reply"}[d] }

// Site is a place that copies payload. Sites are made once, as package
// variables.
type Site uint8

const maxSites = 64

// Mover is who moves the bytes at a site.
type Mover uint8

const (
	// User code moves them, by memory access.
	User Mover = iota
	// Kernel code moves them, inside a system call.
	Kernel
)

type siteInfo struct {
	name  string
	mover Mover
}

var sites []siteInfo

// NewSite names a site, such as "pipe/writev". mover says whether the bytes
// move in user code or inside a system call. It is called from package
// variable declarations only.
func NewSite(name string, mover Mover) Site {
	if len(sites) == maxSites {
		panic("copies: too many sites")
	}
	sites = append(sites, siteInfo{name, mover})
	return Site(len(sites) - 1)
}

type counter struct{ payload, header, times uint64 }

// Ledger is the account of one end of a channel.
type Ledger struct {
	out, in   Direction
	copied    [directions][maxSites]counter
	delivered [directions]uint64
	messages  [directions]uint64
	syscalls  uint64
	header    uint64
	marked    Aside
	excluded  Aside
}

// Aside is what was counted beside the operations: the message that ends a
// session is none, and would otherwise blur the cost of one operation.
type Aside struct {
	Syscalls uint64 `json:"syscalls"`
	Header   uint64 `json:"header"`
}

// NewLedger opens the account of an end that sends messages of direction out;
// it receives those of the other direction.
func NewLedger(out Direction) *Ledger { return &Ledger{out: out, in: Reply - out} }

// Sent counts a copy of an outgoing message: payload and header bytes apart.
func (l *Ledger) Sent(s Site, payload, header int) {
	l.copied[l.out][s].add(payload, header)
	l.header += uint64(header)
}

// Received counts a copy of an incoming message.
func (l *Ledger) Received(s Site, payload, header int) {
	l.copied[l.in][s].add(payload, header)
	l.header += uint64(header)
}

func (c *counter) add(payload, header int) {
	c.payload += uint64(payload)
	c.header += uint64(header)
	c.times++
}

// Delivered counts a whole message that reached its consumer at this end, with
// its payload bytes.
func (l *Ledger) Delivered(payload int) {
	l.delivered[l.in] += uint64(payload)
	l.messages[l.in]++
}

// Syscalls counts n system calls made to move messages or to wait for them.
func (l *Ledger) Syscalls(n int) { l.syscalls += uint64(n) }

// Mark says that an operation ends here: what is counted after the last mark
// belongs to none, and stands in the report's Aside.
func (l *Ledger) Mark() { l.marked = Aside{l.syscalls, l.header} }

// Exclude says that the operations begin here: what was counted before belongs to
// none, and stands in the report's Aside.
func (l *Ledger) Exclude() { l.excluded = Aside{l.syscalls, l.header} }

// Report is a ledger, or a sum of ledgers, in a form that travels between
// processes.
type Report struct {
	Sites     []SiteReport `json:"sites,omitempty"`
	Delivered [2]uint64    `json:"delivered"`
	Messages  [2]uint64    `json:"messages"`
	Syscalls  uint64       `json:"syscalls"`
	// Aside is the part of Syscalls and of the sites' header bytes that
	// belongs to no operation.
	Aside Aside `json:"aside"`
}

// SiteReport is what one site copied in one direction.
type SiteReport struct {
	Name      string    `json:"name"`
	Kernel    bool      `json:"kernel,omitempty"`
	Direction Direction `json:"direction"`
	Payload   uint64    `json:"payload"`
	Header    uint64    `json:"header"`
	Times     uint64    `json:"times"`
}

// Report is the account so far.
func (l *Ledger) Report() Report {
	r := Report{Delivered: l.delivered, Messages: l.messages, Syscalls: l.syscalls,
		Aside: Aside{
			Syscalls: l.syscalls - l.marked.Syscalls + l.excluded.Syscalls,
			Header:   l.header - l.marked.Header + l.excluded.Header,
		}}
	for d := range directions {
		for s, c := range l.copied[d] {
			if c.times == 0 {
				continue
			}
			r.Sites = append(r.Sites, SiteReport{
				Name: sites[s].name, Kernel: sites[s].mover == Kernel, Direction: d,
				Payload: c.payload, Header: c.header, Times: c.times,
			})
		}
	}
	return r
}

// Reset opens the account anew.
func (l *Ledger) Reset() { *l = Ledger{out: l.out, in: l.in} }

// Add adds another report to r.
func (r *Report) Add(o Report) {
	for _, s := range o.Sites {
		r.addSite(s)
	}
	for d := range directions {
		r.Delivered[d] += o.Delivered[d]
		r.Messages[d] += o.Messages[d]
	}
	r.Syscalls += o.Syscalls
	r.Aside.Syscalls += o.Aside.Syscalls
	r.Aside.Header += o.Aside.Header
}

// OperationSyscalls is the system calls of the operations alone.
func (r Report) OperationSyscalls() uint64 { return r.Syscalls - r.Aside.Syscalls }

// OperationHeader is the header bytes copied by the operations alone.
func (r Report) OperationHeader() uint64 { return r.Header() - r.Aside.Header }

func (r *Report) addSite(s SiteReport) {
	for i := range r.Sites {
		have := &r.Sites[i]
		if have.Name == s.Name && have.Direction == s.Direction {
			have.Payload += s.Payload
			have.Header += s.Header
			have.Times += s.Times
			return
		}
	}
	r.Sites = append(r.Sites, s)
}

// Payload is the payload bytes copied in a direction, over all sites.
func (r Report) Payload(d Direction) (n uint64) {
	for _, s := range r.Sites {
		if s.Direction == d {
			n += s.Payload
		}
	}
	return n
}

// Header is the header bytes copied, both directions and all sites.
func (r Report) Header() (n uint64) {
	for _, s := range r.Sites {
		n += s.Header
	}
	return n
}

// PerDirection is copies per payload byte delivered in a direction; ok is false
// where none was delivered.
func (r Report) PerDirection(d Direction) (copies float64, ok bool) {
	if r.Delivered[d] == 0 {
		return 0, false
	}
	return float64(r.Payload(d)) / float64(r.Delivered[d]), true
}

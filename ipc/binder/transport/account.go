package transport

import (
	"ipcbench/ipc/binder"
	"ipcbench/ipc/binder/device"
	"ipcbench/ipc/copies"
)

// Sites of the copies that the carriers make themselves.
var (
	secondCopySite = copies.NewSite("binder-2copy/copy", copies.User)
	parcelSite     = copies.NewSite("binder-parcel/write", copies.User)
)

// account is the ledger of a thread. What the driver copied and called comes from
// the driver's own account; the kernel's driver keeps none, and there the
// thread's side of the conversation stands in: the ioctls, the bytes of commands
// and returns, and the payload that was handed over. Both go on counting, so that
// they need to be looked at only where operations begin and end that count.
type account struct {
	ledger *copies.Ledger
	// site is where payload is copied, header where everything else is.
	site, header copies.Site
	sum          sum // what was handed over
	entered      sum // what is in the ledger
	marked       sum // what belongs to operations
}

// sum is all that a thread did up to some time.
type sum struct {
	driver device.Account
	told   bool // driver was
	said   binder.Counts
	// payload that was handed over, framing the part of it that is not the
	// benchmark's.
	payload, framing int
}

func newAccount(out copies.Direction, t *transport) account {
	a := account{ledger: copies.NewLedger(out), site: t.site, header: t.site}
	if t.headerSite != nil {
		a.header = *t.headerSite
	}
	return a
}

// sent notes what was handed over: payload, and framing around it.
func (a *account) sent(payload, framing int) {
	a.sum.payload += payload
	a.sum.framing += framing
}

// now is the sum so far.
func (a *account) now(t *binder.IPCThreadState) *sum {
	if a.sum.driver, a.sum.told = t.Account(); !a.sum.told {
		a.sum.said = t.Counts()
	}
	return &a.sum
}

// begin leaves out what was done so far.
func (a *account) begin(t *binder.IPCThreadState) {
	a.entered = *a.now(t)
	a.marked = a.entered
}

// mark says that an operation ends here.
func (a *account) mark(t *binder.IPCThreadState) { a.marked = *a.now(t) }

// settle enters everything in the ledger, what came after the last mark as what
// belongs to no operation.
func (a *account) settle(t *binder.IPCThreadState) {
	a.enter(&a.marked)
	a.ledger.Mark()
	a.enter(a.now(t))
}

// exclude enters what came so far as what belongs to no operation.
func (a *account) exclude(t *binder.IPCThreadState) {
	a.enter(a.now(t))
	a.ledger.Exclude()
}

// enter counts what was done up to a sum.
func (a *account) enter(to *sum) {
	before := a.entered
	a.entered = *to
	framing := to.framing - before.framing
	if !to.told {
		a.ledger.Sent(a.site, to.payload-before.payload, framing)
		a.ledger.Syscalls(int(to.said.Ioctls - before.said.Ioctls))
		a.ledger.Sent(a.header, 0, int(to.said.Written-before.said.Written))
		a.ledger.Received(a.header, 0, int(to.said.Read-before.said.Read))
		return
	}
	payload := int(to.driver.PayloadFromUser - before.driver.PayloadFromUser)
	framing = min(framing, payload) // not all of it was sent yet
	a.entered.framing = before.framing + framing
	a.ledger.Sent(a.site, payload-framing, framing)
	a.ledger.Sent(a.header, 0, int(to.driver.HeaderFromUser-before.driver.HeaderFromUser))
	a.ledger.Received(a.header, 0, int(to.driver.HeaderToUser-before.driver.HeaderToUser))
	a.ledger.Syscalls(int(to.driver.Syscalls - before.driver.Syscalls))
}

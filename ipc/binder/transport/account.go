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
// and returns, and the payload that was handed over.
type account struct {
	ledger *copies.Ledger
	// site is where payload is copied, header where everything else is.
	site, header copies.Site
	before       binder.Counts
	driver       device.Account
	// handed is payload that was handed over since the last time, framing the
	// part of it that is not the benchmark's.
	handed, framing int
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
	a.handed += payload
	a.framing += framing
}

// begin leaves out what was done so far.
func (a *account) begin(t *binder.IPCThreadState) {
	a.driver, _ = t.Account()
	a.before = t.Counts()
	a.handed, a.framing = 0, 0
}

// settle counts what was done since the last time.
func (a *account) settle(t *binder.IPCThreadState) {
	now, told := t.Account()
	if !told {
		a.settleUntold(t)
		return
	}
	payload := int(now.PayloadFromUser - a.driver.PayloadFromUser)
	framing := min(a.framing, payload)
	a.ledger.Sent(a.site, payload-framing, framing)
	a.ledger.Sent(a.header, 0, int(now.HeaderFromUser-a.driver.HeaderFromUser))
	a.ledger.Received(a.header, 0, int(now.HeaderToUser-a.driver.HeaderToUser))
	a.ledger.Syscalls(int(now.Syscalls - a.driver.Syscalls))
	a.driver, a.handed, a.framing = now, 0, a.framing-framing
}

func (a *account) settleUntold(t *binder.IPCThreadState) {
	now := t.Counts()
	a.ledger.Sent(a.site, a.handed, a.framing)
	a.handed, a.framing = 0, 0
	a.ledger.Syscalls(int(now.Ioctls - a.before.Ioctls))
	a.ledger.Sent(a.header, 0, int(now.Written-a.before.Written))
	a.ledger.Received(a.header, 0, int(now.Read-a.before.Read))
	a.before = now
}

package transport

import (
	"ipcbench/ipc/binder"
	"ipcbench/ipc/copies"
)

// Sites of the copies that the carriers make themselves.
var (
	secondCopySite = copies.NewSite("binder-2copy/copy", copies.User)
	parcelSite     = copies.NewSite("binder-parcel/write", copies.User)
)

// account is the ledger of a thread, kept with what the thread and the driver
// said to each other.
type account struct {
	ledger *copies.Ledger
	site   copies.Site
	before binder.Counts
}

func newAccount(out copies.Direction, s copies.Site) account {
	return account{ledger: copies.NewLedger(out), site: s}
}

// sent counts the driver's copy of an outgoing payload.
func (a *account) sent(payload int) { a.ledger.Sent(a.site, payload, 0) }

// settle counts the system calls since the last time, and the commands and
// returns that they carried. The last few of the calls may be left for later.
func (a *account) settle(t *binder.IPCThreadState, except ...uint64) {
	now := t.Counts()
	for _, n := range except {
		now.Ioctls -= n
	}
	a.ledger.Syscalls(int(now.Ioctls - a.before.Ioctls))
	a.ledger.Sent(a.site, 0, int(now.Written-a.before.Written))
	a.ledger.Received(a.site, 0, int(now.Read-a.before.Read))
	a.before = now
}

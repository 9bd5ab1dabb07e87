package devicetest

import (
	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// Counts on handles, and notices of death.

func releaseWaitsForDone(x *test) {
	m, c := x.manager(), x.join()
	calling, request, handle := callBack(m.main, c.main, clientNode)
	m.main.write(withHandle(abi.BC_ACQUIRE, handle))
	m.main.reply(request, message{})
	calling.want(abi.BR_NOOP, abi.BR_INCREFS, abi.BR_ACQUIRE, abi.BR_TRANSACTION_COMPLETE, abi.BR_REPLY)
	m.main.write(withHandle(abi.BC_RELEASE, handle))
	c.main.idle()
	// The first DONE may wake a reader, but for nothing.
	reading := c.main.exchange(withNode(abi.BC_INCREFS_DONE, clientNode)).blocked()
	c.thread().write(withNode(abi.BC_ACQUIRE_DONE, clientNode))
	reading.want(abi.BR_NOOP, abi.BR_RELEASE, abi.BR_DECREFS)
}

func countsThatMeanNothing(x *test) {
	m, c := x.manager(), x.join()
	h := handOut(m.main, abi.PtrCookie{Ptr: 0x20, Cookie: 1}, c.main)
	c.main.write(withHandle(abi.BC_RELEASE, 77), withHandle(abi.BC_DECREFS, 77), withHandle(abi.BC_DECREFS, h),
		withNode(abi.BC_ACQUIRE_DONE, clientNode), withNode(abi.BC_INCREFS_DONE, clientNode),
		withAddress(abi.BC_FREE_BUFFER, 0), withAddress(abi.BC_FREE_BUFFER, c.region.Addr+64))
	m.main.write(withNode(abi.BC_ACQUIRE_DONE, abi.PtrCookie{Ptr: 0x20, Cookie: 1}),
		withNode(abi.BC_ACQUIRE_DONE, abi.PtrCookie{Ptr: 0x20, Cookie: 2}))
	calling := c.main.call(message{to: h})
	got := m.main.receive()
	m.main.write(withAddress(abi.BC_FREE_BUFFER, got.Buffer), withAddress(abi.BC_FREE_BUFFER, got.Buffer), m.main.replying(message{}))
	c.main.free(c.main.replied(calling))
	m.main.until(abi.BR_TRANSACTION_COMPLETE)
	c.main.write(withHandle(abi.BC_RELEASE, h), withHandle(abi.BC_RELEASE, h))
	m.main.read().want(abi.BR_NOOP, abi.BR_RELEASE, abi.BR_DECREFS)
	c.main.rejects(message{to: h}, abi.BR_FAILED_REPLY, unix.EINVAL)
}

func noPromotion(x *test) {
	m, c := x.manager(), x.join()
	h := handOut(m.main, abi.PtrCookie{Ptr: 0x20, Cookie: 1}, c.main)
	c.main.write(withHandle(abi.BC_INCREFS, h), withHandle(abi.BC_RELEASE, h), withHandle(abi.BC_ACQUIRE, h))
	c.main.rejects(message{to: h}, abi.BR_FAILED_REPLY, unix.EINVAL)
}

func requestDeath(handle uint32, cookie uint64) []byte {
	return withCookie(abi.BC_REQUEST_DEATH_NOTIFICATION, handle, cookie)
}

func clearDeath(handle uint32, cookie uint64) []byte {
	return withCookie(abi.BC_CLEAR_DEATH_NOTIFICATION, handle, cookie)
}

// died checks that a read ended with the notice of a death.
func died(x *test, p pending, cookie uint64) {
	x.Helper()
	if got := p.want(abi.BR_NOOP, abi.BR_DEAD_BINDER)[1].cookie(); got != cookie {
		x.Fatalf("notice with cookie %#x, want %#x", got, cookie)
	}
}

func ownerDies(x *test) {
	m, c := x.manager(), x.join()
	first := handIn(c.main, abi.PtrCookie{Ptr: 0x1000, Cookie: 1}, m.main)
	second := handIn(c.main, abi.PtrCookie{Ptr: 0x2000, Cookie: 1}, m.main)
	m.main.write(requestDeath(first, 0xd1), requestDeath(second, 0xd2))
	c.Kill()
	died(x, m.main.read(), 0xd1)
	died(x, m.main.read(), 0xd2)
	m.main.rejects(message{to: first}, abi.BR_DEAD_REPLY, unix.EINVAL)
	if h := handIn(x.join().main, clientNode, m.main); h == first || h == second {
		x.Fatalf("handle %d of a dead node was given away", h)
	}
}

func deathAlreadyThere(x *test) {
	m, c := x.manager(), x.join()
	h := handIn(c.main, clientNode, m.main)
	m.main.write(requestDeath(h, 0xd1), requestDeath(h, 0xd2))
	c.Kill()
	died(x, m.main.read(), 0xd1)
	m.main.idle()
	m.main.write(clearDeath(h, 0xd1), withAddress(abi.BC_DEAD_BINDER_DONE, 0xd1))
	m.main.read().want(abi.BR_NOOP, abi.BR_CLEAR_DEATH_NOTIFICATION_DONE)
	died(x, m.main.exchange(requestDeath(h, 0xd3)), 0xd3)
}

func clearNotice(x *test) {
	m, c := x.manager(), x.join()
	h := handIn(c.main, clientNode, m.main)
	cleared := func(p pending) {
		x.Helper()
		if got := p.want(abi.BR_NOOP, abi.BR_CLEAR_DEATH_NOTIFICATION_DONE)[1].cookie(); got != 0xd1 {
			x.Fatalf("cleared %#x, want 0xd1", got)
		}
	}
	m.main.write(requestDeath(h, 0xd1), clearDeath(h, 0xd2))
	m.main.idle()
	cleared(m.main.exchange(clearDeath(h, 0xd1)))
	m.main.write(requestDeath(h, 0xd1))
	c.Kill()
	died(x, m.main.read(), 0xd1)
	m.main.write(clearDeath(h, 0xd1))
	m.main.idle()
	cleared(m.main.exchange(withAddress(abi.BC_DEAD_BINDER_DONE, 0xd1)))
}

func droppedHandle(x *test) {
	m, c := x.manager(), x.join()
	// The driver tells of nodes in the order of their ptr, so a notice of the
	// dropped one would come first.
	dropped := handIn(c.main, abi.PtrCookie{Ptr: 0x1000, Cookie: 1}, m.main)
	witness := handIn(c.main, abi.PtrCookie{Ptr: 0x2000, Cookie: 1}, m.main)
	m.main.write(requestDeath(dropped, 0xd1), requestDeath(witness, 0xd2), withHandle(abi.BC_RELEASE, dropped))
	c.Kill()
	died(x, m.main.read(), 0xd2)
	m.main.idle()
}

func deathOfHandleZero(x *test) {
	m, with, without := x.manager(), x.join(), x.join()
	with.main.write(withHandle(abi.BC_INCREFS, 0), requestDeath(0, 0xd1))
	without.main.write(requestDeath(0, 0xd2))
	m.Kill()
	died(x, with.main.read(), 0xd1)
	without.main.idle()
}

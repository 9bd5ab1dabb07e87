package devicetest

import (
	"syscall"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// Frozen processes.

// freeze asks t's device to freeze the process, or to thaw it.
func (t *thread) freeze(pid int32, enable bool, timeoutMS uint32) syscall.Errno {
	t.x.Helper()
	info := abi.FreezeInfo{PID: uint32(pid), TimeoutMS: timeoutMS}
	if enable {
		info.Enable = 1
	}
	_, errno := t.control(abi.BINDER_FREEZE, object(abi.SizeofFreezeInfo, &info))
	return errno
}

func (t *thread) frozenInfo(pid int32) (v abi.FrozenStatusInfo) {
	t.x.Helper()
	out, errno := t.control(abi.BINDER_GET_FROZEN_INFO, object(abi.SizeofFrozenStatusInfo, &abi.FrozenStatusInfo{PID: uint32(pid)}))
	t.x.errno(errno, 0, "BINDER_GET_FROZEN_INFO")
	v.Decode(out)
	return v
}

func freezeRefused(x *test) {
	x.since(5, 13)
	m, c := x.manager(), x.join()
	x.errno(c.main.freeze(0x7ffffff0, true, 0), unix.EINVAL, "freezing a pid without the device open")
	calling := c.thread().call(message{})
	request := m.main.receive()
	x.errno(c.main.freeze(m.PID, true, 1), unix.EAGAIN, "freezing a process that owes a reply")
	m.main.reply(request, message{})
	calling.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_REPLY)
	x.errno(c.main.freeze(m.PID, true, 100), 0, "freezing it after the reply")
}

// sendFrozen sends a oneway to a frozen process.
func (t *thread) sendFrozen(m message) {
	t.x.Helper()
	accepted := abi.BR_TRANSACTION_COMPLETE
	if t.x.backend.Release.AtLeast(Release{6, 3}) {
		accepted = abi.BR_TRANSACTION_PENDING_FROZEN
	}
	t.exchange(t.oneway(m)).want(abi.BR_NOOP, accepted)
}

func callFrozen(x *test) {
	x.since(5, 13)
	m, c := x.manager(), x.join()
	x.errno(c.main.freeze(m.PID, true, 0), 0, "freeze")
	c.main.call(message{}).want(abi.BR_NOOP, abi.BR_FROZEN_REPLY)
	c.main.sendFrozen(message{code: 8})
	x.errno(c.main.freeze(m.PID, false, 0), 0, "thaw")
	if got := m.main.receive(); got.Code != 8 {
		x.Fatalf("code %d after the thaw, want 8", got.Code)
	}
}

func frozenStatus(x *test) {
	x.since(5, 15)
	m, c := x.manager(), x.join()
	x.errno(c.main.freeze(m.PID, true, 0), 0, "freeze")
	if got := c.main.frozenInfo(m.PID); got.SyncRecv != 0 || got.AsyncRecv != 0 {
		x.Fatalf("just frozen: %+v", got)
	}
	c.main.call(message{}).want(abi.BR_NOOP, abi.BR_FROZEN_REPLY)
	if got := c.main.frozenInfo(m.PID); got.SyncRecv != 1 || got.AsyncRecv != 0 {
		x.Fatalf("after a call: %+v", got)
	}
	c.main.sendFrozen(message{})
	if got := c.main.frozenInfo(m.PID); got.SyncRecv != 3 || got.AsyncRecv != 1 {
		x.Fatalf("after a call and a oneway, which is pending: %+v", got)
	}
	_, errno := c.main.control(abi.BINDER_GET_FROZEN_INFO,
		object(abi.SizeofFrozenStatusInfo, &abi.FrozenStatusInfo{PID: 0x7ffffff0}))
	x.errno(errno, unix.EINVAL, "status of a pid without the device open")
}

func newestUpdate(x *test) {
	x.since(6, 0)
	m, c := x.manager(), x.join()
	c.main.send(message{code: 1})
	held := m.main.receive()
	x.errno(c.main.freeze(m.PID, true, 100), 0, "freeze")
	c.main.sendFrozen(message{code: 2, flags: abi.TF_UPDATE_TXN, data: []byte("older")})
	c.main.sendFrozen(message{code: 2, flags: abi.TF_UPDATE_TXN, data: []byte("newer")})
	x.errno(c.main.freeze(m.PID, false, 0), 0, "thaw")
	m.main.free(held)
	got := m.main.receive()
	if text := m.main.payload(got); string(text) != "newer" {
		x.Fatalf("%q came", text)
	}
	m.main.free(got)
	m.main.idle()
}

func freezeNotification(x *test) {
	m, c := x.manager(), x.join()
	h := handIn(c.main, clientNode, m.main)
	request := withCookie(abi.BC_REQUEST_FREEZE_NOTIFICATION, h, 0xf1)
	clear := withCookie(abi.BC_CLEAR_FREEZE_NOTIFICATION, h, 0xf1)
	done := withAddress(abi.BC_FREEZE_NOTIFICATION_DONE, 0xf1)
	invalid := func(command []byte, what string) {
		x.Helper()
		x.errno(m.main.begin(exchange{write: command}).value().Errno, unix.EINVAL, what)
	}
	if !x.backend.Release.AtLeast(Release{6, 12}) {
		invalid(request, "BC_REQUEST_FREEZE_NOTIFICATION before 6.12")
		return
	}
	invalid(withCookie(abi.BC_REQUEST_FREEZE_NOTIFICATION, 77, 0xf1), "request for an unknown handle")
	invalid(clear, "clearing what was not requested")
	invalid(done, "acknowledging what was not sent")
	told(x, m.main.exchange(request), false)
	invalid(request, "second request")
	frozen := func(yes bool) {
		x.Helper()
		x.errno(m.main.freeze(c.PID, yes, 100), 0, "BINDER_FREEZE")
	}
	// A change is told after the acknowledgement even if it was taken back.
	frozen(true)
	frozen(false)
	m.main.idle()
	told(x, m.main.exchange(done), false)
	// What happens before the acknowledgement is told once, after it.
	frozen(true)
	frozen(false)
	frozen(true)
	m.main.idle()
	told(x, m.main.exchange(done), true)
	m.main.write(done)
	frozen(false)
	told(x, m.main.read(), false)
	invalid(withCookie(abi.BC_CLEAR_FREEZE_NOTIFICATION, h, 0xf2), "clearing with another cookie")
	m.main.write(clear)
	m.main.idle()
	m.main.exchange(done).want(abi.BR_NOOP, abi.BR_CLEAR_FREEZE_NOTIFICATION_DONE)
	frozen(true)
	m.main.idle()
}

// told checks what a freeze notification says.
func told(x *test, p pending, frozen bool) {
	x.Helper()
	var got abi.FrozenStateInfo
	got.Decode(p.want(abi.BR_NOOP, abi.BR_FROZEN_BINDER)[1].payload)
	if got.Cookie != 0xf1 || (got.IsFrozen != 0) != frozen {
		x.Fatalf("state %+v, want frozen %v", got, frozen)
	}
}

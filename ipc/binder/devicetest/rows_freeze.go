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
	if !x.backend.Release.AtLeast(Release{6, 12}) {
		x.errno(m.main.begin(exchange{write: request}).value().Errno, unix.EINVAL, "BC_REQUEST_FREEZE_NOTIFICATION before 6.12")
		return
	}
	state := func(p pending, frozen uint32) {
		x.Helper()
		var got abi.FrozenStateInfo
		got.Decode(p.want(abi.BR_NOOP, abi.BR_FROZEN_BINDER)[1].payload)
		if got.Cookie != 0xf1 || got.IsFrozen != frozen {
			x.Fatalf("state %+v, want frozen %d", got, frozen)
		}
	}
	done := withAddress(abi.BC_FREEZE_NOTIFICATION_DONE, 0xf1)
	state(m.main.exchange(request), 0)
	m.main.write(done)
	x.errno(m.main.freeze(c.PID, true, 100), 0, "freeze")
	state(m.main.read(), 1)
	m.main.write(done)
	x.errno(m.main.begin(exchange{write: request}).value().Errno, unix.EINVAL, "second request")
	m.main.exchange(withCookie(abi.BC_CLEAR_FREEZE_NOTIFICATION, h, 0xf1)).
		want(abi.BR_NOOP, abi.BR_CLEAR_FREEZE_NOTIFICATION_DONE)
}

package devicetest

import (
	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
)

// Calls, oneways, replies, and how they fail.

// A node of a client in these rows.
var clientNode = abi.PtrCookie{Ptr: 0x1000, Cookie: 0x1001}

func callInOneIoctl(x *test) {
	m, c := x.manager(), x.join()
	calling := c.main.call(message{})
	m.main.reply(m.main.receive(), message{})
	calling.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_REPLY)
	if got := calling.value().ReadConsumed; got != 76 {
		x.Fatalf("%d bytes, want 76", got)
	}
}

func completionDeferred(x *test) {
	m, c := x.manager(), x.joinWith(unix.O_NONBLOCK)
	c.main.write(c.main.transaction(message{}))
	x.errno(c.main.read().value().Errno, unix.EAGAIN, "read before the reply")
	m.main.reply(m.main.receive(), message{})
	c.main.read().want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_REPLY)
}

func onewayCompletes(x *test) {
	x.manager()
	c := x.join()
	c.main.exchange(c.main.oneway(message{})).want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE)
}

func replyThenRead(x *test) {
	m, c := x.manager(), x.join()
	c.main.call(message{code: 1})
	first := m.main.receive()
	c.thread().call(message{code: 2}).blocked()
	m.main.exchange(withAddress(abi.BC_FREE_BUFFER, first.Buffer), m.main.replying(message{})).
		want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE)
	got := m.main.read().want(abi.BR_NOOP, abi.BR_TRANSACTION)
	if code := got[1].transaction().Code; code != 2 {
		x.Fatalf("code %d, want 2", code)
	}
}

func unknownHandle(x *test) {
	m, c := x.manager(), x.join()
	c.main.rejects(message{to: 77}, abi.BR_FAILED_REPLY, unix.EINVAL)
	h := handOut(m.main, abi.PtrCookie{Ptr: 0x20, Cookie: 1}, c.main)
	c.main.write(withHandle(abi.BC_INCREFS, h), withHandle(abi.BC_RELEASE, h))
	c.main.rejects(message{to: h}, abi.BR_FAILED_REPLY, unix.EINVAL)
}

func replyToNobody(x *test) {
	c := x.join()
	c.main.exchange(c.main.replying(message{})).want(abi.BR_NOOP, abi.BR_FAILED_REPLY)
	c.main.blames(unix.EPROTO)
}

func twoCallsInOneWrite(x *test) {
	m, c := x.manager(), x.join()
	c.main.exchange(c.main.transaction(message{code: 1}), c.main.transaction(message{code: 2})).
		want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_FAILED_REPLY)
	c.main.blames(unix.EPROTO)
	got := m.main.receive()
	if got.Code != 1 {
		x.Fatalf("code %d, want 1", got.Code)
	}
	m.main.reply(got, message{})
	c.main.read().want(abi.BR_NOOP, abi.BR_REPLY)
	m.main.idle()
}

func badPayloadPointer(x *test) {
	x.manager()
	c := x.join()
	c.main.rejects(message{buffer: 8, data: make([]byte, 16)}, abi.BR_FAILED_REPLY, unix.EFAULT)
}

func badOffsets(x *test) {
	x.manager()
	c := x.join()
	node := binderObject(clientNode)
	other := binderObject(abi.PtrCookie{Ptr: 0x2000, Cookie: 1})
	for _, bad := range []struct {
		what  string
		m     message
		param unix.Errno
	}{
		{"misaligned", message{data: make([]byte, 2), objects: [][]byte{node}, offsets: []uint64{2}}, unix.EINVAL},
		{"outside", message{objects: [][]byte{node}, offsets: []uint64{8}}, unix.EINVAL},
		{"size % 8", message{objects: [][]byte{node}, partial: 4}, unix.EINVAL},
		{"no such type", message{data: make([]byte, 24), offsets: []uint64{0}}, unix.EINVAL},
		// These leave nothing to copy between two objects, or less.
		{"overlapping", message{objects: [][]byte{node, other}, offsets: []uint64{0, 16}}, unix.EFAULT},
		{"descending", message{objects: [][]byte{node, other}, offsets: []uint64{24, 0}}, unix.EFAULT},
		{"behind the end", message{objects: [][]byte{node}, offsets: []uint64{32}}, unix.EFAULT},
	} {
		c.main.exchange(c.main.transaction(bad.m)).want(abi.BR_NOOP, abi.BR_FAILED_REPLY)
		if c.main.blames(bad.param); x.Failed() {
			x.Logf("offsets that are %s", bad.what)
		}
	}
}

// callBack lets c's main thread call the manager with a node of its own. It
// returns the call, what the manager received and its handle for the node.
func callBack(m, c *thread, n abi.PtrCookie) (calling pending, got abi.TransactionData, handle uint32) {
	m.x.Helper()
	calling = c.call(message{objects: [][]byte{binderObject(n)}})
	got = m.receive()
	return calling, got, uint32(flatAt(m.payload(got)).Binder)
}

func callbackToWaiter(x *test) {
	m, c := x.manager(), x.join()
	idle := c.looper().read().blocked()
	calling, request, handle := callBack(m.main, c.main, clientNode)
	nested := m.main.call(message{to: handle, code: 2})
	got := c.main.received(calling)
	if got.Target != clientNode.Ptr || got.Code != 2 {
		x.Fatalf("nested call is %+v", got)
	}
	idle.blocked()
	c.main.reply(got, message{})
	m.main.free(m.main.replied(nested))
	m.main.reply(request, message{})
	c.main.replied(c.main.read())
}

func callbackThroughOthers(x *test) {
	m, a, c := x.manager(), x.join(), x.join()
	toC := handIn(c.main, abi.PtrCookie{Ptr: 0x3000, Cookie: 1}, m.main)
	idle := a.looper().read().blocked()
	calling, request, toA := callBack(m.main, a.main, clientNode)
	second := m.main.call(message{to: toC, objects: [][]byte{handleObject(toA)}})
	atC := c.main.receive()
	third := c.main.call(message{to: uint32(flatAt(c.main.payload(atC)).Binder), code: 3})
	atA := a.main.received(calling)
	if atA.Target != clientNode.Ptr || atA.Code != 3 {
		x.Fatalf("third call is %+v", atA)
	}
	idle.blocked()
	a.main.reply(atA, message{})
	c.main.free(c.main.replied(third))
	c.main.reply(atC, message{})
	m.main.free(m.main.replied(second))
	m.main.reply(request, message{})
	a.main.replied(a.main.read())
}

func onewayToWaiter(x *test) {
	m, c := x.manager(), x.join()
	calling, request, handle := callBack(m.main, c.main, clientNode)
	m.main.write(withHandle(abi.BC_ACQUIRE, handle))
	m.main.send(message{to: handle, code: 2})
	calling.blocked()
	if got := c.looper().receive(); got.Code != 2 {
		x.Fatalf("code %d, want 2", got.Code)
	}
	m.main.reply(request, message{})
	c.main.replied(calling)
}

func replyWhileCalling(x *test) {
	m, c := x.manager(), x.join()
	calling, request, handle := callBack(m.main, c.main, clientNode)
	m.main.write(m.main.transaction(message{to: handle}))
	m.main.exchange(m.main.replying(message{})).want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_FAILED_REPLY)
	m.main.blames(unix.EPROTO)
	c.main.reply(c.main.received(calling), message{})
	m.main.replied(m.main.read())
	m.main.reply(request, message{})
	c.main.replied(c.main.read())
}

func serverThreadExits(x *test) {
	m, c := x.manager(), x.join()
	server := m.looper()
	calling := c.main.call(message{})
	server.receive()
	server.exit()
	calling.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_DEAD_REPLY)
}

func callerExits(x *test) {
	m, c := x.manager(), x.join()
	_, request, handle := callBack(m.main, c.main, clientNode)
	m.main.write(withHandle(abi.BC_ACQUIRE, handle))
	other := m.looper()
	other.write(withCookie(abi.BC_REQUEST_DEATH_NOTIFICATION, handle, 1))
	c.Kill()
	other.until(abi.BR_DEAD_BINDER)
	m.main.exchange(withAddress(abi.BC_FREE_BUFFER, request.Buffer), m.main.replying(message{})).
		want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE)
}

func oversizedReply(x *test) {
	m, c := x.manager(), x.join()
	calling := c.main.call(message{})
	m.main.receive()
	m.main.exchange(m.main.replying(message{data: make([]byte, regionBytes+8)})).want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE)
	calling.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_FAILED_REPLY)
	c.main.blames(unix.ENOSPC)
}

func serverExits(x *test) {
	m, c := x.manager(), x.join()
	calling := c.main.call(message{}).blocked()
	m.Kill()
	calling.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_DEAD_REPLY)
}

func targetUnmapped(x *test) {
	m := x.process().open(0)
	x.errno(m.main.claim(0), 0, "BINDER_SET_CONTEXT_MGR_EXT")
	c := x.join()
	c.main.rejects(message{}, abi.BR_DEAD_REPLY, unix.ESRCH)
	x.errno(m.mmap(regionBytes), 0, "mmap")
	calling := c.main.call(message{})
	m.main.reply(m.main.receive(), message{})
	c.main.replied(calling)
	m.unmap(regionBytes/2, unix.Getpagesize())
	c.main.rejects(message{}, abi.BR_DEAD_REPLY, unix.ESRCH)
}

func onewaysOfOneNode(x *test) {
	m, c := x.manager(), x.join()
	var loopers []*thread
	for range 3 {
		loopers = append(loopers, m.looper())
	}
	for code := range uint32(3) {
		c.main.send(message{code: code})
	}
	for code := range uint32(3) {
		got := loopers[code].receive()
		if got.Code != code {
			x.Fatalf("code %d, want %d", got.Code, code)
		}
		loopers[(code+1)%3].idle()
		loopers[code].free(got)
	}
	loopers[0].idle()
}

func onewaysOfTwoNodes(x *test) {
	m, c := x.manager(), x.join()
	second := handOut(m.main, abi.PtrCookie{Ptr: 0x20, Cookie: 1}, c.main)
	c.main.send(message{code: 1})
	c.main.send(message{to: second, code: 2})
	calling := c.main.call(message{code: 3})
	for code := range uint32(3) {
		if got := m.main.receive(); got.Code != code+1 {
			x.Fatalf("code %d, want %d", got.Code, code+1)
		}
	}
	m.main.write(m.main.replying(message{}))
	c.main.replied(calling)
}

func oneTransactionPerRead(x *test) {
	m, c := x.manager(), x.join()
	second := handOut(m.main, abi.PtrCookie{Ptr: 0x20, Cookie: 1}, c.main)
	c.main.send(message{})
	c.main.send(message{to: second})
	m.main.read().want(abi.BR_NOOP, abi.BR_TRANSACTION)
	m.main.read().want(abi.BR_NOOP, abi.BR_TRANSACTION)
}

func freeThenReply(x *test) {
	m, c := x.manager(), x.join()
	calling := c.main.call(message{data: make([]byte, 64)})
	got := m.main.receive()
	m.main.free(got)
	m.main.write(m.main.replying(message{code: 9, data: []byte("12345678")}))
	if back := c.main.replied(calling); back.Code != 9 || string(c.main.payload(back)) != "12345678" {
		x.Fatalf("reply %+v", back)
	}
}

func callerUnmapped(x *test) {
	m := x.manager()
	c := x.process().open(0)
	calling := c.main.call(message{})
	m.main.receive()
	m.main.exchange(m.main.replying(message{})).want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE)
	calling.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_DEAD_REPLY)
}

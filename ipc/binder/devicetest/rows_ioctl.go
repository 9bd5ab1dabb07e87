package devicetest

import (
	"bytes"
	"slices"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/devicetest/internal/party"
)

// What ioctls return, and how BINDER_WRITE_READ advances.

func unknownIoctl(x *test) {
	f := x.join()
	x.errno(f.main.ioctl(abi.BINDER_SET_IDLE_TIMEOUT, f.store(make([]byte, 8))), unix.EINVAL, "BINDER_SET_IDLE_TIMEOUT")
	x.errno(f.main.ioctl(abi.BINDER_SET_IDLE_PRIORITY, f.store(make([]byte, 8))), unix.EINVAL, "BINDER_SET_IDLE_PRIORITY")
	x.errno(f.main.ioctl('b'<<8|99, 0), unix.EINVAL, "unknown ioctl")
}

func nullArgument(x *test) {
	f := x.join()
	x.errno(f.main.ioctl(abi.BINDER_WRITE_READ, 0), unix.EFAULT, "BINDER_WRITE_READ of NULL")
	x.errno(f.main.ioctl(abi.BINDER_SET_MAX_THREADS, 0), unix.EINVAL, "BINDER_SET_MAX_THREADS of NULL")
}

func freshRead(x *test) {
	x.join().fresh().read().want(abi.BR_NOOP)
}

func freshPoll(x *test) {
	f := x.join()
	if got := f.fresh().poll(); got&unix.POLLIN == 0 {
		x.Fatalf("fresh thread polls %#x, want POLLIN", got)
	}
	f.main.idle()
}

func nonblocking(x *test) {
	f := x.joinWith(unix.O_NONBLOCK)
	command := plain(abi.BC_ENTER_LOOPER)
	v := f.thread().exchange(command).value()
	x.errno(v.Errno, unix.EAGAIN, "idle nonblocking read")
	if v.WriteConsumed != uint64(len(command)) || v.ReadConsumed != 0 {
		x.Fatalf("consumed %d written, %d read; want %d, 0", v.WriteConsumed, v.ReadConsumed, len(command))
	}
}

func interrupted(x *test) {
	x.since(5, 13)
	m, c := x.manager(), x.join()
	command := c.main.transaction(message{code: 1})
	calling := c.main.begin(exchange{write: command, readSize: readBytes, interruptible: true}).blocked()
	must[party.None](c.process, "Signal", c.main.tid)
	v := calling.value()
	x.errno(v.Errno, unix.EINTR, "interrupted read")
	if v.WriteConsumed != uint64(len(command)) || v.ReadConsumed != 0 {
		x.Fatalf("consumed %d written, %d read; want %d, 0", v.WriteConsumed, v.ReadConsumed, len(command))
	}
	again := c.main.begin(exchange{write: command, writeConsumed: v.WriteConsumed, readSize: readBytes}).blocked()
	m.main.reply(m.main.receive(), message{})
	again.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_REPLY)
	m.main.idle()
}

func shortRead(x *test) {
	m, c := x.manager(), x.join()
	c.main.send(message{code: 7})
	m.main.begin(exchange{readSize: 79}).want(abi.BR_NOOP)
	got := m.main.begin(exchange{readSize: 80}).want(abi.BR_NOOP, abi.BR_TRANSACTION)
	if code := got[1].transaction().Code; code != 7 {
		x.Fatalf("code %d, want 7", code)
	}
}

func readContinues(x *test) {
	m, c := x.manager(), x.join()
	c.main.send(message{})
	p := m.main.begin(exchange{readSize: readBytes, readConsumed: 4})
	p.want(abi.BR_TRANSACTION)
	if v := p.value(); v.ReadConsumed != 4+4+abi.SizeofTransactionData || !bytes.Equal(v.Read[:4], make([]byte, 4)) {
		x.Fatalf("read_consumed %d, first bytes % x", v.ReadConsumed, v.Read[:4])
	}
}

func writeContinues(x *test) {
	m, c := x.manager(), x.join()
	first, second := c.main.oneway(message{code: 1}), c.main.oneway(message{code: 2})
	c.main.begin(exchange{write: slices.Concat(first, second), writeConsumed: uint64(len(first)), readSize: readBytes}).
		want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE)
	if got := m.main.receive(); got.Code != 2 {
		x.Fatalf("code %d was sent, want 2 only", got.Code)
	}
	m.main.idle()
}

func unknownCommand(x *test) {
	f := x.join()
	first := plain(abi.BC_ENTER_LOOPER)
	v := f.main.begin(exchange{write: slices.Concat(first, plain('c'<<8|99)), readSize: readBytes, readConsumed: 8}).value()
	x.errno(v.Errno, unix.EINVAL, "unknown command")
	if v.WriteConsumed != uint64(len(first)) || v.ReadConsumed != 0 {
		x.Fatalf("consumed %d written, %d read; want %d, 0", v.WriteConsumed, v.ReadConsumed, len(first))
	}
}

func failureStopsWrite(x *test) {
	f := x.join()
	failing := f.main.transaction(message{to: 77})
	v := f.main.begin(exchange{write: slices.Concat(failing, plain(abi.BC_ENTER_LOOPER))}).value()
	x.errno(v.Errno, 0, "BINDER_WRITE_READ")
	if v.WriteConsumed != uint64(len(failing)) {
		x.Fatalf("consumed %d bytes, want %d", v.WriteConsumed, len(failing))
	}
	f.main.read().want(abi.BR_NOOP, abi.BR_FAILED_REPLY)
}

func acquireOwnManager(x *test) {
	m := x.manager()
	v := m.main.begin(exchange{write: withHandle(abi.BC_ACQUIRE, 0)}).value()
	x.errno(v.Errno, unix.EINVAL, "BC_ACQUIRE of handle 0 by the context manager")
}

func nodeInfo(x *test) {
	m, c := x.manager(), x.join()
	handle := handIn(c.main, abi.PtrCookie{Ptr: 1, Cookie: 2}, m.main)
	ask := func(t *thread, v abi.NodeInfoForRef) (abi.NodeInfoForRef, unix.Errno) {
		out, errno := t.control(abi.BINDER_GET_NODE_INFO_FOR_REF, object(abi.SizeofNodeInfoForRef, &v))
		v.Decode(out)
		return v, errno
	}
	_, errno := ask(c.main, abi.NodeInfoForRef{Handle: handle})
	x.errno(errno, unix.EPERM, "not the context manager")
	_, errno = ask(m.main, abi.NodeInfoForRef{Handle: handle, Reserved2: 1})
	x.errno(errno, unix.EINVAL, "reserved field")
	_, errno = ask(m.main, abi.NodeInfoForRef{Handle: handle + 1})
	x.errno(errno, unix.EINVAL, "unknown handle")
	info, errno := ask(m.main, abi.NodeInfoForRef{Handle: handle})
	x.errno(errno, 0, "context manager with a strong handle")
	if info.StrongCount < 1 {
		x.Fatalf("strong count %d, want 1 or more", info.StrongCount)
	}
}

func nodeDebugInfo(x *test) {
	m, c := x.manager(), x.join()
	for _, ptr := range []uint64{0x300, 0x200, 0x400} {
		handOut(m.main, abi.PtrCookie{Ptr: ptr, Cookie: ptr + 1}, c.main)
	}
	var got []uint64
	for ptr := uint64(0); len(got) < 10; {
		out, errno := m.main.control(abi.BINDER_GET_NODE_DEBUG_INFO, object(abi.SizeofNodeDebugInfo, &abi.NodeDebugInfo{Ptr: ptr}))
		x.errno(errno, 0, "BINDER_GET_NODE_DEBUG_INFO")
		var info abi.NodeDebugInfo
		info.Decode(out)
		if info.Ptr == 0 {
			break
		}
		if info.Cookie != info.Ptr+1 {
			x.Fatalf("node %#x has cookie %#x", info.Ptr, info.Cookie)
		}
		ptr = info.Ptr
		got = append(got, ptr)
	}
	if want := []uint64{managerNode.Ptr, 0x200, 0x300, 0x400}; !slices.Equal(got, want) {
		x.Fatalf("nodes %#x, want %#x", got, want)
	}
}

func extendedErrorOnce(x *test) {
	x.since(5, 19)
	f := x.join()
	f.main.call(message{to: 77}).want(abi.BR_NOOP, abi.BR_FAILED_REPLY)
	if e := f.main.extendedError(); e.ID == 0 || e.Command != uint32(abi.BR_FAILED_REPLY) || e.Param != -int32(unix.EINVAL) {
		x.Fatalf("first look: %+v", e)
	}
	if e := f.main.extendedError(); e.ID != 0 || e.Command != uint32(abi.BR_OK) || e.Param != 0 {
		x.Fatalf("second look: %+v", e)
	}
}

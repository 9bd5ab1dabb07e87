package devicetest

import (
	"encoding/binary"
	"slices"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/devicetest/internal/party"
)

// Objects inside payloads: nodes, handles, descriptors, buffers.

func publishTwice(x *test) {
	m, c := x.manager(), x.join()
	node := func(ptr uint64) abi.PtrCookie { return abi.PtrCookie{Ptr: ptr, Cookie: ptr} }
	first, second := handOut(m.main, node(0x20), c.main), handOut(m.main, node(0x30), c.main)
	if again := handOut(m.main, node(0x20), c.main); first != 1 || second != 2 || again != first {
		x.Fatalf("handles %d, %d, and again %d; want 1, 2, 1", first, second, again)
	}
	// Two strong references were taken on the first.
	c.main.write(withHandle(abi.BC_RELEASE, first), withHandle(abi.BC_RELEASE, first))
	if lowest := handOut(m.main, node(0x40), c.main); lowest != first {
		x.Fatalf("handle %d, want the lowest free, %d", lowest, first)
	}
}

func handleComesHome(x *test) {
	m, c := x.manager(), x.join()
	node := abi.PtrCookie{Ptr: 0x20, Cookie: 0x21}
	h := handOut(m.main, node, c.main)
	c.main.send(message{objects: [][]byte{handleObject(h)}})
	got := flatAt(m.main.payload(m.main.receive()))
	if got.Type != abi.BINDER_TYPE_BINDER || got.Binder != node.Ptr || got.Cookie != node.Cookie {
		x.Fatalf("%v with %#x, %#x came home; want node %+v", got.Type, got.Binder, got.Cookie, node)
	}
}

func cookieChanges(x *test) {
	m, c := x.manager(), x.join()
	handIn(c.main, clientNode, m.main)
	changed := abi.PtrCookie{Ptr: clientNode.Ptr, Cookie: clientNode.Cookie + 1}
	c.main.rejects(message{objects: [][]byte{binderObject(changed)}}, abi.BR_FAILED_REPLY, unix.EINVAL)
}

func handleDiesWithBuffer(x *test) {
	m, c := x.manager(), x.join()
	offer := func(ptr uint64) (handle uint32, reply abi.TransactionData) {
		asked := c.main.call(message{})
		m.main.reply(m.main.receive(), message{objects: [][]byte{binderObject(abi.PtrCookie{Ptr: ptr, Cookie: 1})}})
		reply = c.main.replied(asked)
		return uint32(flatAt(c.main.payload(reply)).Binder), reply
	}
	h, reply := offer(0x20)
	c.main.free(reply)
	c.main.rejects(message{to: h}, abi.BR_FAILED_REPLY, unix.EINVAL)
	if again, _ := offer(0x30); again != h {
		x.Fatalf("the next handle is %d, want %d again", again, h)
	}
}

func fdToPlainManager(x *test) {
	x.managerWith(0)
	c := x.join()
	ends := must[[2]int](c.process, "Pipe", party.None{})
	c.main.rejects(message{objects: [][]byte{fdObject(ends[0])}}, abi.BR_FAILED_REPLY, unix.EPERM)
	must[party.None](c.process, "FDClose", ends[0])
	must[party.None](c.process, "FDClose", ends[1])
}

func fdReplyRefused(x *test) {
	m, c := x.manager(), x.join()
	ends := must[[2]int](m.process, "Pipe", party.None{})
	calling := c.main.call(message{})
	m.main.receive()
	m.main.exchange(m.main.replying(message{objects: [][]byte{fdObject(ends[0])}})).want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE)
	calling.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_FAILED_REPLY)
	c.main.blames(unix.EPERM)
	must[party.None](m.process, "FDClose", ends[0])
	must[party.None](m.process, "FDClose", ends[1])
}

func fdDelivered(x *test) {
	m, c := x.manager(), x.join()
	ends := must[[2]int](c.process, "Pipe", party.None{})
	must[int](c.process, "FDWrite", party.FDArgs{FD: ends[1], Bytes: []byte("through")})
	c.main.send(message{objects: [][]byte{fdObject(ends[0])}})
	// The sender's descriptor may go before the receiver looks.
	must[party.None](c.process, "FDClose", ends[0])
	got := m.main.receive()
	fd := receivedFD(m.main, got)
	if flags := must[int](m.process, "FDFlags", fd); flags&unix.FD_CLOEXEC == 0 {
		x.Fatalf("flags %#x, want FD_CLOEXEC", flags)
	}
	m.main.free(got)
	if text := must[[]byte](m.process, "FDRead", party.FDArgs{FD: fd, N: 7}); string(text) != "through" {
		x.Fatalf("read %q through the descriptor", text)
	}
	must[party.None](m.process, "FDClose", fd)
	must[party.None](c.process, "FDClose", ends[1])
	fdArray(x, m, c)
}

func receivedFD(t *thread, td abi.TransactionData) int {
	var fd abi.FDObject
	fd.Decode(t.payload(td))
	return int(fd.FD)
}

// fdArray sends descriptors in an array, which the buffer owns.
func fdArray(x *test, m, c *file) {
	ends := must[[2]int](c.process, "Pipe", party.None{})
	must[int](c.process, "FDWrite", party.FDArgs{FD: ends[1], Bytes: []byte("array")})
	fds := binary.NativeEndian.AppendUint32(nil, uint32(ends[0]))
	fds = binary.NativeEndian.AppendUint32(fds, uint32(ends[1]))
	parent := object(abi.SizeofBufferObject, &abi.BufferObject{Type: abi.BINDER_TYPE_PTR, Buffer: c.store(fds), Length: 8})
	array := object(abi.SizeofFDArrayObject, &abi.FDArrayObject{Type: abi.BINDER_TYPE_FDA, NumFDs: 2})
	// The driver finds no parent that lies at offset 0 of the payload.
	c.main.send(message{data: make([]byte, 8), objects: [][]byte{parent, array}, extra: 8})
	got := m.main.receive()
	var at abi.BufferObject
	at.Decode(m.main.payload(got)[8:])
	fd := int(binary.NativeEndian.Uint32(m.load(at.Buffer, 8)))
	if text := must[[]byte](m.process, "FDRead", party.FDArgs{FD: fd, N: 5}); string(text) != "array" {
		x.Fatalf("read %q through the array's descriptor", text)
	}
	m.main.free(got)
	_, errno := call[int](m.process, "FDFlags", fd)
	x.errno(errno, unix.EBADF, "the array's descriptor after its buffer was freed")
	must[party.None](c.process, "FDClose", ends[0])
	must[party.None](c.process, "FDClose", ends[1])
}

func fdTableFull(x *test) {
	m, c := x.manager(), x.join()
	ends := must[[2]int](c.process, "Pipe", party.None{})
	mine := must[[2]int](m.process, "Pipe", party.None{})
	full := func(f *file, on bool) { must[party.None](f.process, "FDLimit", on) }
	defer full(c, false)
	defer full(m, false)

	serving := m.main.read().blocked()
	full(m, true)
	c.main.call(message{objects: [][]byte{fdObject(ends[0])}}).
		want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_FAILED_REPLY)
	full(m, false)
	serving.blocked()

	calling := c.main.call(message{flags: abi.TF_ACCEPT_FDS})
	request := m.main.received(serving)
	full(c, true)
	m.main.reply(request, message{objects: [][]byte{fdObject(mine[0])}})
	calling.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_FAILED_REPLY)
	full(c, false)
	for i := range 2 {
		must[party.None](c.process, "FDClose", ends[i])
		must[party.None](m.process, "FDClose", mine[i])
	}
}

func bufferObject(x *test) {
	m, c := x.manager(), x.join()
	text := []byte("beside the payload, 8 by 8 bytes")
	pointer := object(abi.SizeofBufferObject, &abi.BufferObject{Type: abi.BINDER_TYPE_PTR, Buffer: c.store(text), Length: uint64(len(text))})
	c.main.rejects(message{objects: [][]byte{pointer}}, abi.BR_FAILED_REPLY, unix.EINVAL)
	c.main.rejects(message{objects: [][]byte{pointer}, extra: uint64(len(text)) + 4}, abi.BR_FAILED_REPLY, unix.EINVAL)
	c.main.send(message{objects: [][]byte{pointer}, extra: uint64(len(text))})
	got := m.main.receive()
	var at abi.BufferObject
	at.Decode(m.main.payload(got))
	if at.Buffer < m.region.Addr || at.Buffer+at.Length > m.region.Addr+regionBytes {
		x.Fatalf("pointer %#x is outside the region at %#x", at.Buffer, m.region.Addr)
	}
	if came := m.load(at.Buffer, len(text)); !slices.Equal(came, text) {
		x.Fatalf("%q came", came)
	}
}

// securityContext: with SELinux the node learns who calls; without a module
// that knows contexts, such calls fail.
func securityContext(x *test) {
	m, c := x.managerWith(abi.FLAT_BINDER_FLAG_TXN_SECURITY_CTX), x.join()
	if x.backend.SecurityContext == "" {
		c.main.call(message{}).want(abi.BR_NOOP, abi.BR_FAILED_REPLY)
		return
	}
	c.main.call(message{code: 4})
	var got abi.TransactionDataSecCtx
	got.Decode(m.main.read().want(abi.BR_NOOP, abi.BR_TRANSACTION_SEC_CTX)[1].payload)
	want := x.backend.SecurityContext + "\x00"
	if label := string(m.load(got.SecCtx, len(want))); got.Code != 4 || label != want {
		x.Fatalf("code %d, context %q; want 4, %q", got.Code, label, want)
	}
}

func publishInCall(x *test) {
	m, c := x.manager(), x.join()
	calling, request, handle := callBack(m.main, c.main, clientNode)
	m.main.write(withHandle(abi.BC_ACQUIRE, handle))
	m.main.reply(request, message{})
	got := calling.want(abi.BR_NOOP, abi.BR_INCREFS, abi.BR_ACQUIRE, abi.BR_TRANSACTION_COMPLETE, abi.BR_REPLY)
	if got[1].node() != clientNode || got[2].node() != clientNode {
		x.Fatalf("INCREFS of %+v, ACQUIRE of %+v; want %+v", got[1].node(), got[2].node(), clientNode)
	}
	c.main.acknowledge(got)
	calling, request, _ = callBack(m.main, c.main, clientNode)
	m.main.reply(request, message{})
	calling.want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE, abi.BR_REPLY)
}

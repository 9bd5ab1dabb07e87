package devicetest

import "ipcbench/ipc/binder/abi"

// handOut lets the manager thread m publish its node n to the thread to,
// which gets a strong handle.
func handOut(m *thread, n abi.PtrCookie, to *thread) uint32 {
	m.x.Helper()
	h, _ := handOutObject(m, binderObject(n), to)
	return h
}

// handOutObject lets the manager thread m reply to a call of the thread to
// with an object; to keeps a strong reference and frees the buffer.
func handOutObject(m *thread, object []byte, to *thread) (handle uint32, as abi.FlatBinderObject) {
	m.x.Helper()
	asked := to.call(message{})
	question := m.receive()
	m.write(withAddress(abi.BC_FREE_BUFFER, question.Buffer), m.replying(message{objects: [][]byte{object}}))
	got := to.replied(asked)
	as = flatAt(to.payload(got))
	handle = uint32(as.Binder)
	to.write(withHandle(abi.BC_ACQUIRE, handle), withAddress(abi.BC_FREE_BUFFER, got.Buffer))
	_, before := m.until(abi.BR_TRANSACTION_COMPLETE)
	m.acknowledge(before)
	return handle, as
}

// handIn lets the thread from publish its node n to the manager thread m,
// which gets a strong handle.
func handIn(from *thread, n abi.PtrCookie, m *thread) uint32 {
	from.x.Helper()
	asked := from.call(message{objects: [][]byte{binderObject(n)}})
	given := m.receive()
	handle := uint32(flatAt(m.payload(given)).Binder)
	m.write(withHandle(abi.BC_ACQUIRE, handle))
	m.reply(given, message{})
	from.free(from.replied(asked))
	return handle
}

package devicetest

import (
	"bytes"
	"slices"
	"syscall"

	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/devicetest/internal/party"
)

// readBytes is the size of a read buffer unless a row says otherwise.
const readBytes = 256

// thread is a thread of a process, for one of its files.
type thread struct {
	*file
	tid    int32
	issued int64
}

// fresh is a new thread that the driver has not seen.
func (f *file) fresh() *thread {
	f.x.Helper()
	return &thread{file: f, tid: must[int32](f.process, "Thread", party.None{})}
}

// thread is a new thread that the driver has seen, so that its reads block.
func (f *file) thread() *thread {
	f.x.Helper()
	t := f.fresh()
	t.version()
	return t
}

// looper is a new thread that entered the loop.
func (f *file) looper() *thread {
	f.x.Helper()
	t := f.thread()
	t.write(plain(abi.BC_ENTER_LOOPER))
	return t
}

func (t *thread) issue() party.Issue {
	t.issued++
	return party.Issue{Thread: t.tid, Number: t.issued, File: t.id}
}

// control is an ioctl with a structure.
func (t *thread) control(request abi.Ioctl, arg []byte) ([]byte, syscall.Errno) {
	t.x.Helper()
	return call[[]byte](t.process, "Control", party.ControlArgs{Issue: t.issue(), Request: uint32(request), Arg: arg})
}

// ioctl is an ioctl with a bare argument.
func (t *thread) ioctl(request abi.Ioctl, arg uint64) syscall.Errno {
	t.x.Helper()
	_, errno := call[party.None](t.process, "Ioctl", party.IoctlArgs{Issue: t.issue(), Request: uint32(request), Arg: arg})
	return errno
}

func (t *thread) version() int32 {
	t.x.Helper()
	out, errno := t.control(abi.BINDER_VERSION, make([]byte, abi.SizeofVersion))
	t.x.errno(errno, 0, "BINDER_VERSION")
	var v abi.Version
	v.Decode(out)
	return v.ProtocolVersion
}

func (t *thread) maxThreads(n byte) {
	t.x.Helper()
	_, errno := t.control(abi.BINDER_SET_MAX_THREADS, []byte{n, 0, 0, 0})
	t.x.errno(errno, 0, "BINDER_SET_MAX_THREADS")
}

func (t *thread) exit() {
	t.x.Helper()
	t.x.errno(t.ioctl(abi.BINDER_THREAD_EXIT, 0), 0, "BINDER_THREAD_EXIT")
}

func (t *thread) extendedError() (v abi.ExtendedError) {
	t.x.Helper()
	out, errno := t.control(abi.BINDER_GET_EXTENDED_ERROR, make([]byte, abi.SizeofExtendedError))
	t.x.errno(errno, 0, "BINDER_GET_EXTENDED_ERROR")
	v.Decode(out)
	return v
}

// blames checks why the thread's last command failed, where the driver tells.
func (t *thread) blames(param syscall.Errno) {
	t.x.Helper()
	if !t.x.backend.Release.AtLeast(Release{5, 19}) {
		return
	}
	if got := syscall.Errno(-t.extendedError().Param); got != param {
		t.x.Errorf("extended error -%s, want -%s", name(got), name(param))
	}
}

// exchange is a BINDER_WRITE_READ that a row shapes itself.
type exchange struct {
	write         []byte
	writeConsumed uint64
	readSize      uint64
	readConsumed  uint64
	interruptible bool // see EINTR
}

// pending is a BINDER_WRITE_READ under way.
type pending struct {
	t       *thread
	on      party.Issue
	started uint64 // read_consumed on entry
	party.Pending[party.WriteReadValue]
}

func (t *thread) begin(e exchange) pending {
	on := t.issue()
	return pending{t, on, e.readConsumed, party.Start[party.WriteReadValue](t.Client, "WriteRead", party.WriteReadArgs{
		Issue: on, Interruptible: e.interruptible, Write: e.write, WriteConsumed: e.writeConsumed, ReadSize: e.readSize, ReadConsumed: e.readConsumed})}
}

// blocked waits until the call sleeps in the driver, and fails if it returns.
func (p pending) blocked() pending {
	p.t.x.Helper()
	if !must[bool](p.t.process, "Blocked", p.on) {
		p.t.x.Fatalf("returned %s instead of blocking", names(codes(p.answers())))
	}
	return p
}

// value is what the call left behind, whatever its errno.
func (p pending) value() party.WriteReadValue {
	p.t.x.Helper()
	v, err := p.Wait()
	p.t.x.check(err)
	return v
}

// answers is what the call read; an errno fails the row.
func (p pending) answers() []answer {
	p.t.x.Helper()
	v := p.value()
	p.t.x.errno(v.Errno, 0, "BINDER_WRITE_READ")
	list, err := parse(v.Read[p.started:v.ReadConsumed])
	p.t.x.check(err)
	return list
}

// want checks that the call read exactly these returns.
func (p pending) want(list ...abi.Return) []answer {
	p.t.x.Helper()
	got := p.answers()
	if !slices.Equal(codes(got), list) {
		p.t.x.Fatalf("read %s, want %s", names(codes(got)), names(list))
	}
	return got
}

// write writes commands, reads nothing, and fails unless all are consumed.
func (t *thread) write(commands ...[]byte) {
	t.x.Helper()
	all := bytes.Join(commands, nil)
	v := t.begin(exchange{write: all}).value()
	t.x.errno(v.Errno, 0, "BINDER_WRITE_READ")
	if v.WriteConsumed != uint64(len(all)) {
		t.x.Fatalf("consumed %d of %d bytes", v.WriteConsumed, len(all))
	}
}

// exchange writes commands and reads in one call, which may block.
func (t *thread) exchange(commands ...[]byte) pending {
	return t.begin(exchange{write: bytes.Join(commands, nil), readSize: readBytes})
}

// read reads, which may block.
func (t *thread) read() pending { return t.exchange() }

// idle checks that the thread has nothing to read.
func (t *thread) idle() {
	t.x.Helper()
	if t.poll() != 0 {
		t.x.Fatalf("has something to read: %s", names(codes(t.read().answers())))
	}
}

func (t *thread) poll() int16 {
	t.x.Helper()
	return must[int16](t.process, "Poll", party.PollArgs{Issue: t.issue()})
}

// until reads until the return comes, and returns it with all that came
// before it. What comes must end with it.
func (t *thread) until(code abi.Return) (answer, []answer) {
	t.x.Helper()
	return t.follow(t.read(), code)
}

// follow is until for a thread that is reading already.
func (t *thread) follow(p pending, code abi.Return) (answer, []answer) {
	t.x.Helper()
	var before []answer
	for {
		got := p.answers()
		if at := slices.Index(codes(got), code); at >= 0 {
			if at != len(got)-1 {
				t.x.Fatalf("%v is followed by %s", code, names(codes(got[at+1:])))
			}
			return got[at], append(before, got[:at]...)
		}
		before = append(before, got...)
		p = t.read()
	}
}

// receive reads a transaction and acknowledges the node work before it.
func (t *thread) receive() abi.TransactionData {
	t.x.Helper()
	return t.received(t.read())
}

// received is receive for a thread that is reading already.
func (t *thread) received(p pending) abi.TransactionData {
	t.x.Helper()
	a, before := t.follow(p, abi.BR_TRANSACTION)
	t.acknowledge(before)
	return a.transaction()
}

// replied reads a reply and acknowledges the node work before it.
func (t *thread) replied(p pending) abi.TransactionData {
	t.x.Helper()
	a, before := t.follow(p, abi.BR_REPLY)
	t.acknowledge(before)
	return a.transaction()
}

// acknowledge answers BR_INCREFS and BR_ACQUIRE, as every owner must.
func (t *thread) acknowledge(answers []answer) {
	t.x.Helper()
	done := map[abi.Return]abi.Command{abi.BR_INCREFS: abi.BC_INCREFS_DONE, abi.BR_ACQUIRE: abi.BC_ACQUIRE_DONE}
	var commands [][]byte
	for _, a := range answers {
		if code, ok := done[a.code]; ok {
			commands = append(commands, withNode(code, a.node()))
		}
	}
	if commands != nil {
		t.write(commands...)
	}
}

// transaction is the command that sends m.
func (t *thread) transaction(m message) []byte {
	t.x.Helper()
	return t.encode(m, abi.BC_TRANSACTION, abi.BC_TRANSACTION_SG)
}

// oneway is the command that sends m without a reply.
func (t *thread) oneway(m message) []byte {
	t.x.Helper()
	m.flags |= abi.TF_ONE_WAY
	return t.transaction(m)
}

// replying is the command that replies with m.
func (t *thread) replying(m message) []byte {
	t.x.Helper()
	return t.encode(m, abi.BC_REPLY, abi.BC_REPLY_SG)
}

func (t *thread) encode(m message, code, sg abi.Command) []byte {
	t.x.Helper()
	data, offsets := m.layout()
	td := abi.TransactionData{Target: uint64(m.to), Code: m.code, Flags: m.flags, DataSize: uint64(len(data)),
		OffsetsSize: uint64(len(offsets)) + m.partial, Buffer: m.buffer}
	if td.Buffer == 0 {
		td.Buffer = t.store(data)
	}
	td.Offsets = t.store(offsets)
	return encode(func(e *abi.Encoder[abi.Command]) {
		if m.extra > 0 {
			e.TransactionSG(sg, &abi.TransactionDataSG{TransactionData: td, BuffersSize: m.extra})
			return
		}
		e.Transaction(code, &td)
	})
}

// call sends m and blocks for its reply.
func (t *thread) call(m message) pending {
	t.x.Helper()
	return t.exchange(t.transaction(m))
}

// send sends m without a reply, and sees it accepted.
func (t *thread) send(m message) {
	t.x.Helper()
	t.exchange(t.oneway(m)).want(abi.BR_NOOP, abi.BR_TRANSACTION_COMPLETE)
}

// reply frees the buffer of a transaction and replies to it.
func (t *thread) reply(to abi.TransactionData, m message) {
	t.x.Helper()
	t.write(withAddress(abi.BC_FREE_BUFFER, to.Buffer), t.replying(m))
	t.until(abi.BR_TRANSACTION_COMPLETE)
}

// free frees the buffer of a transaction.
func (t *thread) free(td abi.TransactionData) {
	t.x.Helper()
	t.write(withAddress(abi.BC_FREE_BUFFER, td.Buffer))
}

// payload is the bytes of a transaction, as its receiver sees them.
func (t *thread) payload(td abi.TransactionData) []byte {
	t.x.Helper()
	if td.DataSize == 0 {
		return nil
	}
	return t.load(td.Buffer, int(td.DataSize))
}

// rejects sends m and checks that it fails, and why.
func (t *thread) rejects(m message, with abi.Return, param syscall.Errno) {
	t.x.Helper()
	t.call(m).want(abi.BR_NOOP, with)
	t.blames(param)
}

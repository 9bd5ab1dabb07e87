package server

import (
	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/device/daemon/wire"
	"ipcbench/ipc/binder/driver"
)

var _ driver.Parker = (*thread)(nil)

// within says whether n bytes at addr lie in the piece of length bytes at start,
// and where.
func within(addr uint64, n int, start uint64, length uint32) (at uint64, ok bool) {
	at = addr - start
	return at, at <= uint64(length) && uint64(n) <= uint64(length)-at
}

// A thread that writes commands without ever reading what comes of them leaves
// completions behind in the driver. After unreadLimit bytes of commands it has to
// read: it gets EFAULT until it does, or if a transaction failed for that reason,
// none of its commands is taken. What the driver fetches in pieces of up to maxPiece
// bytes counts.
const (
	maxPiece    = 512
	unreadLimit = 1 << 20
)

// CopyFromUser copies what came with the request from there, and everything else
// from where it is in the client.
func (t *thread) CopyFromUser(dst []byte, addr uint64) error {
	r := &t.request
	if at, ok := within(addr, len(dst), r.Argument, r.ArgumentLength); ok {
		copy(dst, t.argument[at:])
		return nil
	}
	if len(dst) <= maxPiece {
		if t.unread += len(dst); t.unread > unreadLimit {
			return unix.EFAULT
		}
	}
	if at, ok := within(addr, len(dst), r.Commands, r.CommandsLength); ok {
		copy(dst, t.commands[at:])
		return nil
	}
	if len(dst) == 0 {
		return nil
	}
	t.wakeOthers()
	read := sys.ProcessRead
	if t.p.s.options.RawWait {
		read = sys.RawProcessRead
	}
	t.syscalls.Add(1)
	n, err := read(t.p.pid, addr, dst)
	if err == unix.ESRCH {
		return err
	}
	if err != nil || n < len(dst) || !t.p.sameProcess() {
		return unix.EFAULT
	}
	return nil
}

// CopyToUser leaves what the client asked for in the page, from where the client
// copies it to its place.
func (t *thread) CopyToUser(addr uint64, src []byte) error {
	r, a := &t.request, &t.answer
	if at, ok := within(addr, len(src), r.Argument, r.ArgumentLength); ok && at == 0 {
		copy(t.page.Argument(), src)
		a.Argument = uint32(len(src))
		return nil
	}
	if at, ok := within(addr, len(src), r.Returns, r.ReturnsLength); ok && (a.To == 0 || uint64(a.To) == at) {
		copy(t.page.Returns()[at:], src)
		if a.To == 0 {
			a.From = uint32(at)
		}
		a.To = uint32(at) + uint32(len(src))
		return nil
	}
	if !t.p.sameProcess() {
		return unix.EFAULT
	}
	t.wakeOthers()
	t.syscalls.Add(1)
	if n, err := sys.ProcessWrite(t.p.pid, addr, src); err != nil || n < len(src) {
		return unix.EFAULT
	}
	return nil
}

// SendFile takes the client's descriptor out of its table.
func (t *thread) SendFile(_ driver.Owner, key driver.FileKey, fd int32) error {
	t.syscalls.Add(1)
	own, err := unix.PidfdGetfd(t.p.pidfd, int(fd), 0)
	if err != nil {
		return unix.EBADF
	}
	if !t.p.sameProcess() {
		_ = unix.Close(own)
		return unix.EBADF
	}
	if err := t.p.s.host.files.add(key, own, t.p, t.p.s.options.Limits.Files); err != nil {
		_ = unix.Close(own)
		return err
	}
	return nil
}

// TakeFile has the client receive a descriptor.
func (t *thread) TakeFile(key driver.FileKey) (int32, error) {
	fd, ok := t.p.s.host.files.take(key)
	if !ok {
		return 0, unix.EBADF
	}
	t.p.post.Lock()
	defer t.p.post.Unlock()
	err := t.p.postFile(fd)
	_ = unix.Close(fd)
	if err != nil {
		return 0, err
	}
	t.syscalls.Add(1)
	got, err := t.ask(wire.Answer{Kind: wire.TakeFile})
	if err != nil || int32(got) < 0 {
		return 0, unix.EBADF
	}
	return int32(got), nil
}

// CloseFile has the client close a descriptor.
func (t *thread) CloseFile(fd int32) {
	_, _ = t.ask(wire.Answer{Kind: wire.CloseFile, Value: uint64(uint32(fd))})
}

// ask has the client do something in the middle of its call. The error is ESRCH
// if the client leaves instead.
func (t *thread) ask(question wire.Answer) (uint64, error) {
	t.wakeOthers()
	saved := t.answer
	t.answer = question
	t.ring()
	t.answer = saved
	for t.calls.Number() == t.seen {
		if t.closing() {
			return 0, unix.ESRCH
		}
		t.wait()
	}
	t.seen = t.calls.Number()
	var r wire.Request
	t.page.Request(&r)
	if r.Kind != wire.Answered {
		t.p.expel()
		return 0, unix.ESRCH
	}
	return r.Argument, nil
}

package server

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/device/daemon/wire"
	"ipcbench/ipc/binder/driver"
)

// process is a connection: a client process that has the device open.
type process struct {
	s     *Server
	conn  *net.UnixConn
	pid   int
	uid   uint32
	pidfd int
	dir   int // /proc/PID, -1 if it need not be looked at

	greeted bool
	proc    *driver.Proc // nil until it is open
	closing atomic.Bool

	mu      sync.Mutex
	threads map[int32]*thread

	post  sync.Mutex // one descriptor at a time
	posts int        // our end of the socket for descriptors, -1 before Open
	files int        // its descriptors under way; guarded by files.mu
}

// answerPatience is how long a client may leave its socket full.
const answerPatience = time.Second

// newProcess finds out who is at the other end.
func newProcess(s *Server, conn *net.UnixConn) (*process, error) {
	p := &process{s: s, conn: conn, pidfd: -1, dir: -1, posts: -1, threads: map[int32]*thread{}}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var failure error
	err = raw.Control(func(fd uintptr) { failure = p.identify(int(fd)) })
	if err == nil {
		err = failure
	}
	if err != nil {
		p.closeFiles()
		return nil, fmt.Errorf("who connects: %w", err)
	}
	return p, nil
}

// identify asks the kernel, and nobody else, who connected.
func (p *process) identify(fd int) error {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return err
	}
	p.pid, p.uid = int(cred.Pid), cred.Uid
	if p.pidfd, err = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PEERPIDFD); err != nil {
		// Before Linux 6.5. The connection holds no pid, but one that was used
		// again cannot have this connection's answers.
		if p.pidfd, err = unix.PidfdOpen(p.pid, 0); err != nil {
			return err
		}
	}
	if int(p.uid) != os.Geteuid() {
		p.dir, err = unix.Open(fmt.Sprintf("/proc/%d", p.pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	}
	return err
}

// sameProcess says whether what was just done to the process under its pid was
// done to who connected: it lives, so that its pid cannot belong to another, and
// it did not gain rights by executing another program, which a daemon with
// privileges could read although the client may not. For a client of the daemon's
// own user that makes no difference, and the kernel's own check is enough.
func (p *process) sameProcess() bool {
	if p.dir < 0 {
		return true
	}
	var st unix.Stat_t
	return unix.Fstat(p.dir, &st) == nil && st.Uid == p.uid
}

// run answers the client until it hangs up or dies.
func (p *process) run() {
	stop := p.watchDeath()
	defer stop()
	b := make([]byte, 2*wire.MessageSize)
	for {
		n, err := p.conn.Read(b) // descriptors that come along are dropped
		if err != nil || n == 0 {
			break
		}
		var m wire.Message
		if m.Decode(b[:n]) != nil {
			break
		}
		files, err := p.handle(&m)
		m.Errno = uint32(errnoOf(err))
		err = p.reply(&m, files)
		for _, fd := range files {
			_ = unix.Close(fd)
		}
		if err != nil {
			break
		}
	}
	p.close()
}

func (p *process) reply(m *wire.Message, files []int) error {
	if err := p.conn.SetWriteDeadline(time.Now().Add(answerPatience)); err != nil {
		return err
	}
	var rights []byte
	if len(files) > 0 {
		rights = unix.UnixRights(files...)
	}
	_, _, err := p.conn.WriteMsgUnix(m.Encode(), rights, nil)
	return err
}

// watchDeath hangs up when the process dies, even if a child of its has the
// connection.
func (p *process) watchDeath() (stop func()) {
	fd, err := unix.FcntlInt(uintptr(p.pidfd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return func() {}
	}
	_ = unix.SetNonblock(fd, true)
	file := os.NewFile(uintptr(fd), "pidfd")
	raw, err := file.SyscallConn()
	if err == nil {
		go func() {
			if raw.Read(readable) == nil {
				p.expel()
			}
		}()
	}
	return func() { file.Close() }
}

func readable(fd uintptr) bool {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, _ := unix.Poll(fds, 0)
	return n > 0
}

// expel hangs up.
func (p *process) expel() { p.conn.Close() }

// handle does what a message asks for. The files of the answer are closed once it
// is sent.
func (p *process) handle(m *wire.Message) (files []int, err error) {
	if m.Operation == wire.Hello {
		if m.A != wire.Version {
			return nil, unix.EPROTO
		}
		p.greeted = true
		m.A = uint64(os.Getpid())
		return nil, nil
	}
	if !p.greeted {
		return nil, unix.EPROTO
	}
	switch m.Operation {
	case wire.Open:
		return p.open(m)
	case wire.State:
		return p.s.show(p, m)
	}
	if p.proc == nil {
		return nil, unix.EBADF
	}
	switch m.Operation {
	case wire.Map:
		return p.mmap(m)
	case wire.Unmap:
		p.proc.Unmap()
	case wire.Thread:
		return p.addThread(int32(m.A))
	case wire.Interrupt:
		if t := p.thread(int32(m.A)); t != nil {
			t.interrupt(uint32(m.B))
		}
	case wire.Flush:
		p.proc.Get()
		p.proc.Close()
	default:
		err = unix.EINVAL
	}
	return nil, err
}

// open makes the binder_proc, if the daemon can read the client.
func (p *process) open(m *wire.Message) ([]int, error) {
	if p.proc != nil {
		return nil, unix.EBUSY
	}
	var b [8]byte
	if n, err := sys.ProcessRead(p.pid, m.A, b[:]); err != nil || n < len(b) {
		return nil, unix.EPERM
	}
	if binary.NativeEndian.Uint64(b[:]) != m.B {
		return nil, unix.EPERM // another pid namespace
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	p.posts = pair[0]
	id := driver.Identity{PID: int32(p.pid), EUID: p.uid}
	proc, err := p.s.driver.Open(id, p.task)
	if err != nil {
		_ = unix.Close(pair[1])
		return nil, err
	}
	p.proc = proc
	proc.SetNonblock(m.Flags&unix.O_NONBLOCK != 0)
	return []int{pair[1]}, nil
}

// task is a thread as the driver has it.
func (p *process) task(tid int32) driver.Task { return p.thread(tid) }

func (p *process) thread(tid int32) *thread {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.threads[tid]
}

func (p *process) mmap(m *wire.Message) ([]int, error) {
	length, limit := m.A, uint64(p.s.options.Limits.Region)
	if length == 0 || length%uint64(os.Getpagesize()) != 0 {
		return nil, unix.EINVAL
	}
	if length > limit {
		return nil, unix.ENOMEM
	}
	if p.proc.Mapped() {
		return nil, unix.EBUSY
	}
	r, err := newRegion(int(length))
	if err != nil {
		return nil, err
	}
	fd, err := r.readOnly()
	if err == nil {
		err = p.proc.Map(length, m.B)
	}
	if err != nil {
		closeIf(fd)
		r.close()
		return nil, err
	}
	p.s.host.regions.add(p.proc.ID(), r)
	return []int{fd}, nil
}

func closeIf(fd int) {
	if fd >= 0 {
		_ = unix.Close(fd)
	}
}

// addThread makes a page and has a worker serve it. The error is ENOMEM if
// the process has as many threads as it may, EEXIST if it has this one.
func (p *process) addThread(tid int32) ([]int, error) {
	fd, page, err := newPage()
	if err != nil {
		return nil, err
	}
	const none = ^uint32(0)
	t := &thread{p: p, tid: tid, page: page, calls: page.Calls(), answers: page.Answers(), gone: make(chan struct{})}
	t.interrupted.Store(none)
	p.mu.Lock()
	switch {
	case p.threads[tid] != nil:
		err = unix.EEXIST
	case len(p.threads) >= p.s.options.Limits.Threads:
		err = unix.ENOMEM
	default:
		p.threads[tid] = t
	}
	p.mu.Unlock()
	if err != nil {
		_ = unix.Munmap(page)
		_ = unix.Close(fd)
		return nil, err
	}
	p.s.pool.start(t)
	return []int{fd}, nil
}

func newPage() (fd int, page wire.Page, err error) {
	if fd, err = unix.MemfdCreate("binder-thread", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING); err != nil {
		return -1, nil, err
	}
	// With its storage, so that nothing can fault later.
	if err = unix.Fallocate(fd, 0, 0, wire.PageSize); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err == nil {
		page, err = unix.Mmap(fd, 0, wire.PageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		_ = unix.Close(fd)
	}
	return fd, page, err
}

// drop takes a thread that has ended out of the process.
func (p *process) drop(t *thread) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.threads[t.tid] == t {
		delete(p.threads, t.tid)
	}
}

// postFile sends a descriptor that the client is about to be asked to take.
func (p *process) postFile(fd int) error {
	return unix.Sendmsg(p.posts, []byte{0}, unix.UnixRights(fd), nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

// close releases the process. Threads are kicked again and again meanwhile: the
// client's other hands may be at their bells.
func (p *process) close() {
	p.closing.Store(true)
	p.conn.Close()
	released := make(chan struct{})
	go func() {
		if p.proc != nil {
			p.proc.Close()
		}
		for _, t := range p.all() {
			<-t.gone
		}
		close(released)
	}()
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		for _, t := range p.all() {
			t.kick()
		}
		select {
		case <-released:
			p.closeFiles()
			p.s.leave(p)
			return
		case <-time.After(pause):
		}
	}
}

func (p *process) all() (list []*thread) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.threads {
		list = append(list, t)
	}
	return list
}

func (p *process) closeFiles() {
	for _, fd := range []int{p.pidfd, p.dir, p.posts} {
		closeIf(fd)
	}
}

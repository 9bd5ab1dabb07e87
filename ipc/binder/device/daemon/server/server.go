package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device/daemon/wire"
	"ipcbench/ipc/binder/device/local"
	"ipcbench/ipc/binder/driver"
	"ipcbench/ipc/binder/driver/arena"
)

// Limits are what one client process may have. Zero means the default.
type Limits struct {
	// Processes is how many connections one user may have: further ones are
	// hung up on.
	Processes int
	// Threads is how many threads of a process may call: ENOMEM.
	Threads int
	// Region is the length of a receive region in bytes: ENOMEM.
	Region int
	// Files is how many descriptors of a process may be under way: the
	// transaction fails, with EBADF.
	Files int
	// Buffers is how many buffers a region may hold: the transaction that needs
	// another fails, with ENOSPC. One-way ones leave half of them to others.
	Buffers int
	// Objects is how many nodes, and how many handles, a process may have: the
	// transaction that needs another fails, with ENOMEM.
	Objects int
}

// DefaultLimits are those of a daemon that was told none.
var DefaultLimits = Limits{Processes: 256, Threads: 256, Region: 16 << 20, Files: 256, Buffers: 8192, Objects: 8192}

func (l Limits) orDefault() Limits {
	for _, v := range []struct{ set, def *int }{
		{&l.Processes, &DefaultLimits.Processes}, {&l.Threads, &DefaultLimits.Threads},
		{&l.Region, &DefaultLimits.Region}, {&l.Files, &DefaultLimits.Files},
		{&l.Buffers, &DefaultLimits.Buffers}, {&l.Objects, &DefaultLimits.Objects},
	} {
		if *v.set == 0 {
			*v.set = *v.def
		}
	}
	return l
}

// Options of a daemon; the zero Options are the usual ones.
type Options struct {
	Limits Limits
	// ArenaSize is the most memory that the driver's records may take, in
	// bytes, in multiples of 64 KiB; 256 MiB if it is 0.
	ArenaSize int
	// RawWait has the daemon's threads sleep in raw system calls: faster, but
	// for a process with a processor for each of them and without collector.
	RawWait bool
}

const defaultArenaSize = 256 << 20

// Server is a daemon: one context.
type Server struct {
	options Options
	pool    *pool
	host    *host
	driver  *driver.Driver
	arena   []byte

	mu        sync.Mutex
	closed    bool
	processes map[*process]struct{}
	byUser    map[uint32]int
	running   sync.WaitGroup
}

// New makes a daemon with an empty context. Errors are those of the arena.
func New(o Options) (*Server, error) {
	o.Limits = o.Limits.orDefault()
	if o.ArenaSize == 0 {
		o.ArenaSize = defaultArenaSize
	}
	mem, err := unix.Mmap(-1, 0, o.ArenaSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("binder daemon: %w", err)
	}
	workers := &pool{raw: o.RawWait}
	h := &host{raw: o.RawWait, pool: workers}
	d, err := driver.Create(mem, arena.Slot{PID: int32(os.Getpid()), UID: uint32(os.Getuid())}, h, nil)
	if err != nil {
		_ = unix.Munmap(mem)
		return nil, fmt.Errorf("binder daemon: %w", err)
	}
	d.SetLimits(driver.Limits{Buffers: o.Limits.Buffers, Objects: o.Limits.Objects})
	return &Server{options: o, pool: workers, host: h, driver: d, arena: mem,
		processes: map[*process]struct{}{}, byUser: map[uint32]int{}}, nil
}

// acceptPause is how long the daemon waits after it could not take a connection
// in, for want of descriptors.
const acceptPause = 10 * time.Millisecond

// Serve takes clients in from a listener of SOCK_SEQPACKET until the listener is
// closed or fails. It returns net.ErrClosed in the first case.
func (s *Server) Serve(l *net.UnixListener) error {
	for {
		conn, err := l.AcceptUnix()
		switch {
		case errors.Is(err, net.ErrClosed):
			return net.ErrClosed
		case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ENOMEM):
			time.Sleep(acceptPause)
			continue
		case errors.Is(err, unix.ECONNABORTED):
			continue
		case err != nil:
			return fmt.Errorf("binder daemon: %w", err)
		}
		s.Adopt(conn)
	}
}

// Adopt takes one client in, if its user may have another process, and hangs up
// otherwise.
func (s *Server) Adopt(conn *net.UnixConn) {
	p, err := newProcess(s, conn)
	if err != nil {
		conn.Close()
		return
	}
	s.mu.Lock()
	if s.closed || s.byUser[p.uid] >= s.options.Limits.Processes {
		s.mu.Unlock()
		conn.Close()
		p.closeFiles()
		return
	}
	s.processes[p] = struct{}{}
	s.byUser[p.uid]++
	s.running.Go(p.run)
	s.mu.Unlock()
}

func (s *Server) leave(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.processes, p)
	if s.byUser[p.uid]--; s.byUser[p.uid] == 0 {
		delete(s.byUser, p.uid)
	}
}

// Calls is how many system calls the daemon has made for calls under way that are in
// no thread's account.
func (s *Server) Calls() uint64 { return s.driver.Calls() + s.pool.more.Load() }

// Driver is the driver behind the daemon.
func (s *Server) Driver() *driver.Driver { return s.driver }

// Close hangs up on all clients and frees the context.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for p := range s.processes {
		p.expel()
	}
	s.mu.Unlock()
	s.running.Wait()
	return unix.Munmap(s.arena)
}

// show writes a view of the context to a file for a client of the daemon's own
// user, or root. The error is EPERM, or EINVAL for an unknown view.
func (s *Server) show(p *process, m *wire.Message) ([]int, error) {
	if p.uid != 0 && int(p.uid) != os.Geteuid() {
		return nil, unix.EPERM
	}
	name := fmt.Sprintf("proc/%d", m.B)
	if m.A < uint64(len(wire.Views)) {
		name = wire.Views[m.A]
	} else if m.A != wire.Process {
		return nil, unix.EINVAL
	}
	text, err := local.View(s.driver, name)
	if err != nil {
		return nil, unix.ESRCH
	}
	fd, err := unix.MemfdCreate("binder-state", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), "binder-state")
	defer file.Close()
	if _, err := file.WriteString(text); err != nil {
		return nil, err
	}
	dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	return []int{dup}, err
}

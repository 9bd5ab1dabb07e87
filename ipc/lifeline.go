package ipc

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// NewLifeline returns the two ends of a line on which nothing is ever said: it
// breaks when the process at the other end closes it or dies. Mechanisms that do not notice a
// dead peer by themselves (queues, segments) hand one end to each side.
func NewLifeline() (server, client *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("lifeline: %w", err)
	}
	return os.NewFile(uintptr(fds[0]), "lifeline"), os.NewFile(uintptr(fds[1]), "lifeline"), nil
}

// Lifeline watches one end.
type Lifeline struct {
	end     *os.File
	watcher sync.WaitGroup
}

// Watch calls gone, once and on a goroutine of its own, when the other end
// breaks; not when this end is closed. It owns the file from then on.
func Watch(end *os.File, gone func()) *Lifeline {
	end = pollable(end)
	l := &Lifeline{end: end}
	l.watcher.Go(func() {
		var b [1]byte
		_, err := end.Read(b[:])
		if !errors.Is(err, os.ErrClosed) {
			gone()
		}
	})
	return l
}

// Close lets go of this end and waits for the watcher, so that gone does not
// run afterwards. It must not be called from gone.
func (l *Lifeline) Close() error {
	err := l.end.Close()
	l.watcher.Wait()
	return err
}

// Linger is Close for an end that has left something to the other one: that sees
// the line break, while gone still runs, once the other end has broken too.
// The descriptor and the watcher stay until then.
func (l *Lifeline) Linger() error {
	conn, err := l.end.SyscallConn()
	if err != nil {
		return err
	}
	conn.Control(func(fd uintptr) { err = unix.Shutdown(int(fd), unix.SHUT_WR) })
	go func() {
		l.watcher.Wait()
		l.end.Close()
	}()
	return err
}

// pollable undoes what inheriting an end did to it: os/exec makes descriptors
// blocking, and Close would not interrupt a read of a blocking one. Where that
// fails, the end is as good as it was.
func pollable(end *os.File) *os.File {
	conn, err := end.SyscallConn()
	if err != nil {
		return end
	}
	again := -1
	conn.Control(func(fd uintptr) {
		if again, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 3); err == nil {
			err = unix.SetNonblock(again, true)
		}
	})
	if err != nil || again < 0 {
		return end
	}
	end.Close()
	return os.NewFile(uintptr(again), "lifeline")
}

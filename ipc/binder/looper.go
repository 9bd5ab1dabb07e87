package binder

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"ipcbench/internal/sys"
	"ipcbench/ipc/binder/abi"
	"ipcbench/ipc/binder/device"
)

// StartThreadPool starts the pool with one looper. The driver asks for more, up
// to WithMaxThreads, whenever none is idle.
func (ps *ProcessState) StartThreadPool() error {
	return ps.startLooper(abi.BC_ENTER_LOOPER)
}

// JoinThreadPool makes the calling goroutine a looper as well, until Close. It
// returns nil then, or what kept it from going on.
func (ps *ProcessState) JoinThreadPool() error {
	if !ps.addLooper() {
		return ErrClosed
	}
	defer ps.loopers.Done()
	t, err := ps.Attach()
	if err != nil {
		return err
	}
	defer t.Detach()
	return t.joinThreadPool(abi.BC_ENTER_LOOPER)
}

// Spawned is how many loopers the driver has asked for.
func (ps *ProcessState) Spawned() int { return int(ps.spawned.Load()) }

// spawnLooper follows BR_SPAWN_LOOPER.
func (ps *ProcessState) spawnLooper() {
	ps.spawned.Add(1)
	if err := ps.startLooper(abi.BC_REGISTER_LOOPER); err != nil && !errors.Is(err, ErrClosed) {
		ps.fail(err)
	}
}

// startLooper runs a looper on a thread of its own, which ends with it.
func (ps *ProcessState) startLooper(entry abi.Command) error {
	if !ps.addLooper() {
		return ErrClosed
	}
	go func() {
		defer ps.loopers.Done()
		if err := ps.runLooper(entry); err != nil && !errors.Is(err, ErrClosed) {
			ps.fail(err)
		}
	}()
	return nil
}

func (ps *ProcessState) runLooper(entry abi.Command) error {
	// Never unlocked: the thread carries a looper's name, and leaves with it.
	runtime.LockOSThread()
	sys.SetThreadName(fmt.Sprintf("binder:%d_%X", os.Getpid(), ps.sequence.Add(1)))
	t, err := ps.Attach()
	if err != nil {
		return err
	}
	defer t.Detach()
	return t.joinThreadPool(entry)
}

// addLooper counts a looper for Close, unless that has begun.
func (ps *ProcessState) addLooper() bool {
	ps.threads.mu.Lock()
	defer ps.threads.mu.Unlock()
	if ps.closing.Load() {
		return false
	}
	ps.loopers.Add(1)
	return true
}

// errSuspended takes a looper out of its loop for a while.
var errSuspended = errors.New("binder: suspended")

// joinThreadPool serves until the process closes.
func (t *IPCThreadState) joinThreadPool(entry abi.Command) error {
	t.pool = true
	// The last looper to leave for a suspension may be asked for another, which
	// has nothing to say to the driver before it is over.
	if err := t.ps.pool.await(); errors.Is(err, ErrClosed) {
		return nil
	}
	if terse, ok := t.ps.file.(device.Terse); ok {
		t.terse = terse.SetTerse(t.key)
	}
	if err := t.queueCode(entry); err != nil {
		return err
	}
	err := errSuspended
	for errors.Is(err, errSuspended) {
		err = t.serveUntilSuspended()
	}
	if errors.Is(err, ErrClosed) {
		err = nil
	}
	t.queueCode(abi.BC_EXIT_LOOPER)
	if err = errors.Join(err, t.talk(0)); errors.Is(err, unix.ECONNREFUSED) {
		return nil // the driver is gone, and libbinder's loopers leave then, too
	}
	return err
}

func (t *IPCThreadState) serveUntilSuspended() error {
	if err := t.ps.pool.enter(); err != nil {
		return err
	}
	defer t.ps.pool.leave()
	t.ps.options.looperStart(t)
	defer t.ps.options.looperExit(t)
	for {
		if !t.in.More() && t.ps.pool.suspended.Load() {
			return errors.Join(t.flush(), errSuspended)
		}
		ret, payload, err := t.next()
		if err != nil {
			return err
		}
		if err := t.execute(ret, payload); err != nil {
			return err
		}
	}
}

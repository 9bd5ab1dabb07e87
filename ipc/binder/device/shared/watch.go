package shared

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device/local"
	"ipcbench/ipc/binder/driver/arena"
)

// rescan is how often, in milliseconds, members are looked at that have no
// pidfd to wait for: one that execs lives on under its pid.
const rescan = 500

// watch is the goroutine that notices members that die, takes descriptors in,
// and forgets the windows of those that are gone.
func (d *Device) watch() {
	joins := d.watchJoins()
	if joins >= 0 {
		defer unix.Close(joins)
	}
	members := map[uint64]int{} // pidfds by token, -1 without one
	defer func() {
		for _, fd := range members {
			closeIf(fd)
		}
	}()
	for {
		d.reap(members)
		d.host.windows.ForgetIf((*local.Window).Removed)
		fds := []unix.PollFd{{Fd: int32(d.stop), Events: unix.POLLIN},
			{Fd: int32(d.host.post.FD()), Events: unix.POLLIN}, {Fd: int32(joins), Events: unix.POLLIN}}
		for _, fd := range members {
			fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		}
		if _, err := unix.Poll(fds, rescan); err != nil && err != unix.EINTR {
			time.Sleep(rescan * time.Millisecond) // no memory: look at all of them
		}
		if fds[0].Revents != 0 {
			d.reap(members) // so that the last member knows that it is
			return
		}
		d.host.post.Drain()
		drainInotify(joins)
	}
}

// watchJoins is an inotify descriptor that is readable when somebody joins, -1
// if the process has no more of them: members are then found by rescanning.
func (d *Device) watchJoins() int {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return -1
	}
	if _, err := unix.InotifyAddWatch(fd, d.dir, unix.IN_CREATE); err != nil {
		_ = unix.Close(fd)
		return -1
	}
	return fd
}

func drainInotify(fd int) {
	var events [4096]byte
	for fd >= 0 {
		if n, err := unix.Read(fd, events[:]); n <= 0 || err != nil {
			return
		}
	}
}

func closeIf(fd int) {
	if fd >= 0 {
		_ = unix.Close(fd)
	}
}

// reap releases the members that died, and gets a pidfd of each that is new. A
// pidfd is opened first and the sign of life looked at afterwards, so that a
// pid that was used again is not taken for the member.
func (d *Device) reap(members map[uint64]int) {
	present := map[uint64]bool{}
	for _, m := range d.driver.Members() {
		s := m.Slot
		if s.User == d.host.token {
			continue
		}
		if _, known := members[s.User]; !known {
			members[s.User] = openPID(s)
		}
		if memberDead(d.dir, s) {
			d.driver.ReleaseDead(m)
			_ = os.Remove(memberPath(d.dir, s.User))
			_ = os.Remove(postPath(d.dir, s.User))
			continue
		}
		present[s.User] = true
	}
	for token, fd := range members {
		if !present[token] {
			closeIf(fd)
			delete(members, token)
		}
	}
}

func openPID(s arena.Slot) int {
	fd, err := unix.PidfdOpen(int(s.PID), 0)
	if err != nil {
		return -1
	}
	if startTime(int(s.PID)) != s.Start {
		_ = unix.Close(fd)
		return -1
	}
	return fd
}

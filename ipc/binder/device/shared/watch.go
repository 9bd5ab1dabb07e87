package shared

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/device/local"
	"ipcbench/ipc/binder/driver/arena"
)

// rescan is how often, in milliseconds, members are looked at that have no
// pidfd to wait for: one that execs lives on under its pid.
const rescan = 500

// watch is the goroutine that notices members that die and an arena that is cut
// off, takes descriptors in, and forgets the windows of those that are gone.
func (d *Device) watch() {
	files := d.watchFiles()
	if files >= 0 {
		defer unix.Close(files)
	}
	members := map[uint64]int{} // pidfds by token, -1 without one
	defer func() {
		for _, fd := range members {
			closeIf(fd)
		}
	}()
	for {
		d.guard()
		d.reap(members)
		d.host.windows.ForgetIf((*local.Window).Removed)
		fds := []unix.PollFd{{Fd: int32(d.stop), Events: unix.POLLIN},
			{Fd: int32(d.host.post.FD()), Events: unix.POLLIN}, {Fd: int32(files), Events: unix.POLLIN}}
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
		drainInotify(files)
	}
}

// watchFiles is an inotify descriptor that is readable when somebody joins, or cuts
// the arena off, -1 if the process has no more of them: both are then found by
// rescanning.
func (d *Device) watchFiles() int {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return -1
	}
	_, err = unix.InotifyAddWatch(fd, d.dir, unix.IN_CREATE)
	if err == nil {
		_, err = unix.InotifyAddWatch(fd, fmt.Sprintf("/proc/self/fd/%d", d.arena.Fd()), unix.IN_MODIFY)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1
	}
	return fd
}

// guard gives the context up if the arena's file was cut off, or if another member
// has given it up already. The file gets its length back first: what is missing then
// reads as zeros, and nobody who looks there faults any more.
func (d *Device) guard() {
	st, err := d.arena.Stat()
	short := err == nil && st.Size() < int64(len(d.mem))
	if !short && d.driver.Arena().Intact() {
		return
	}
	if short {
		_ = d.arena.Truncate(int64(len(d.mem)))
	}
	_ = d.driver.Condemn() // if it cannot be, for lack of memory, the next round tries again
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

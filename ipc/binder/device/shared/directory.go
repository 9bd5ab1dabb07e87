package shared

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/driver"
)

// removed is part of the name that a directory gets before it is taken apart.
const removed = ".removed-"

// Remove removes a directory for whoever made it. Members go on with what they
// have mapped, and nobody who asks for the directory by Existing joins any more. One
// that is not there is no error.
func Remove(dir string) error {
	return removeIf(dir, func() bool { return true })
}

// RemoveAbandoned is Remove for a directory whose members are all gone, and does
// nothing to another.
func RemoveAbandoned(dir string) error {
	return removeIf(dir, func() bool { return living(dir) == 0 })
}

// removeIf removes a directory if that, once it is locked, is wanted.
func removeIf(dir string, wanted func() bool) error {
	lock, err := lockDir(Options{Dir: dir, Existing: true, Mode: 0o600})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("shared binder %s: %w", dir, err)
	}
	defer lock.Close()
	if !wanted() {
		return nil
	}
	return dismantle(dir)
}

// dismantle removes a locked directory. Members that make a file in it just now do
// not need the lock, so it loses its name first: then they find no directory, but
// for those who had found it already.
func dismantle(dir string) error {
	unnamed := dir + removed + rand.Text()
	if err := os.Rename(dir, unnamed); err != nil {
		return err
	}
	err := os.RemoveAll(unnamed)
	for errors.Is(err, unix.ENOTEMPTY) {
		err = os.RemoveAll(unnamed)
	}
	return err
}

// living is how many processes that live are members of a directory.
func living(dir string) (n int) {
	members, _ := filepath.Glob(filepath.Join(dir, "member-*"))
	for _, path := range members {
		if free, _ := unlocked(path); !free {
			n++
		}
	}
	return n
}

// unlocked says whether nobody has the file locked. It makes unlockedCalls system
// calls, and one less if the file is not there.
func unlocked(path string) (bool, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	return unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) == nil, nil
}

// unlockedCalls are open, flock and close.
const unlockedCalls = 3

// lockDir opens and locks the directory's lock file, and makes both if need be.
// Closing the file unlocks it.
func lockDir(o Options) (*os.File, error) {
	for {
		lock, err := openDir(o)
		if err != nil {
			return nil, err
		}
		if err := flock(lock, unix.LOCK_EX); err != nil {
			lock.Close()
			return nil, err
		}
		if isAt(lock, lockPath(o.Dir)) {
			return lock, nil
		}
		lock.Close() // somebody removed the directory meanwhile
	}
}

// isAt says whether a path still leads to the file.
func isAt(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(opened, there)
}

// openDir opens the directory's lock file, and makes both if need be.
func openDir(o Options) (*os.File, error) {
	if !o.Existing {
		if err := os.Mkdir(o.Dir, 0o700); err == nil {
			if err := os.Chmod(o.Dir, o.Mode); err != nil {
				return nil, err
			}
		} else if !errors.Is(err, os.ErrExist) {
			return nil, err
		}
	}
	return create(lockPath(o.Dir), o.Mode)
}

// create opens a file for reading and writing, made with the permissions if it
// is not there.
func create(path string, mode os.FileMode) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return os.OpenFile(path, os.O_RDWR, 0)
	}
	if err != nil {
		return nil, err
	}
	if err := file.Chmod(mode & 0o666); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// checkNamespace refuses processes of another pid namespace than that of who
// made the directory: pids would not name the same processes.
func checkNamespace(o Options) error {
	mine, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return err
	}
	link := filepath.Join(o.Dir, "namespace")
	if err := os.Symlink(mine, link); err == nil || !errors.Is(err, os.ErrExist) {
		return err
	}
	theirs, err := os.Readlink(link)
	if err == nil && theirs != mine {
		err = fmt.Errorf("%w: %s, this one is in %s", ErrNamespace, theirs, mine)
	}
	return err
}

// sweep removes what processes left that died before they were members. Nobody
// else can be joining.
func (d *Device) sweep() {
	members := map[string]bool{memberPath(d.dir, d.host.token): true}
	for _, m := range d.driver.Members() {
		members[memberPath(d.dir, m.Slot.User)] = true
	}
	paths, _ := filepath.Glob(filepath.Join(d.dir, "member-*"))
	for _, path := range paths {
		if !members[path] {
			_ = os.Remove(path)
			_ = os.Remove(filepath.Join(d.dir, strings.Replace(filepath.Base(path), "member-", "post-", 1)))
		}
	}
	taken, _ := filepath.Glob(d.dir + removed + "*")
	for _, dir := range taken { // who took it apart may have died
		_ = os.RemoveAll(dir)
	}
}

func flock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

func lockPath(dir string) string { return filepath.Join(dir, "lock") }

func memberPath(dir string, token uint64) string {
	return filepath.Join(dir, fmt.Sprintf("member-%016x", token))
}

func postPath(dir string, token uint64) string {
	return filepath.Join(dir, fmt.Sprintf("post-%016x", token))
}

func regionPath(dir string, id driver.ProcID) string {
	return filepath.Join(dir, fmt.Sprintf("region-%d", id))
}

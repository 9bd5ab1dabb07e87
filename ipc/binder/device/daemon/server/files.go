package server

import (
	"sync"

	"golang.org/x/sys/unix"

	"ipcbench/ipc/binder/driver"
)

// files are the descriptors under way, which are the daemon's until they are
// taken or dropped.
type files struct {
	mu    sync.Mutex
	byKey map[driver.FileKey]sentFile
}

type sentFile struct {
	fd     int
	sender *process
}

// add keeps a descriptor. The error is EMFILE if its sender has too many under way.
func (fs *files) add(key driver.FileKey, fd int, sender *process, limit int) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if sender.files >= limit {
		return unix.EMFILE
	}
	if fs.byKey == nil {
		fs.byKey = map[driver.FileKey]sentFile{}
	}
	fs.byKey[key] = sentFile{fd, sender}
	sender.files++
	return nil
}

// take gives a descriptor to the caller.
func (fs *files) take(key driver.FileKey) (fd int, ok bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f, ok := fs.byKey[key]
	if ok {
		delete(fs.byKey, key)
		f.sender.files--
	}
	return f.fd, ok
}

func (fs *files) drop(key driver.FileKey) {
	if fd, ok := fs.take(key); ok {
		_ = unix.Close(fd)
	}
}
